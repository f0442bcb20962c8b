"""Settings contradict each other in known ways, and each way has its sentence."""

import dataclasses
import types
import typing
from typing import Any

import pytest

from seq2seq import config as module
from seq2seq.config import (
    Config,
    ConfigError,
    Corpus,
    DataConfig,
    EvaluateConfig,
    ModelConfig,
    TokenizerConfig,
    TrainConfig,
    TranslateConfig,
)
from seq2seq.errors import UserError

SECTIONS = {field.name: field.default_factory() for field in dataclasses.fields(Config)}  # type: ignore


@pytest.mark.parametrize(
    ("section", "given", "message"),
    [
        (Corpus, {}, "a corpus has either source and target, or pairs"),
        (Corpus, {"source": "a.de"}, "given were source='a.de', target='', pairs=''"),
        (Corpus, {"source": "a", "target": "b", "pairs": "c"}, "either source and target, or"),
        (Corpus, {"pairs": "a.tsv", "weight": 0.0}, "corpus weight=0.0 must be above 0"),
        (DataConfig, {"min_length": 0}, "data.min_length=0 must be from 1 to data.max_length=150"),
        (DataConfig, {"min_length": 9, "max_length": 8}, "data.min_length=9 must be from 1 to"),
        (DataConfig, {"max_length": 2001}, "data.max_length=2001 must be at most 2000"),
        (DataConfig, {"max_length_ratio": 0.9}, "data.max_length_ratio=0.9 must be at least 1"),
        (DataConfig, {"duplicate_memory_mib": 0}, "data.duplicate_memory_mib=0 must be at least"),
        (DataConfig, {"shard_pairs": 0}, "data.shard_pairs=0 must be at least 1"),
        (DataConfig, {"workers": -1}, "data.workers=-1 must not be negative"),
        (TokenizerConfig, {"vocabulary": 299}, "tokenizer.vocabulary=299 must be from 300"),
        (TokenizerConfig, {"sample_sentences": 0}, "tokenizer.sample_sentences=0 must be at"),
        (TokenizerConfig, {"character_coverage": 1.1}, "tokenizer.character_coverage=1.1 must"),
        (TokenizerConfig, {"source_model": "a"}, "tokenizer.target_model are given together"),
        (ModelConfig, {"embedding": 0}, "model.embedding=0 must be at least 1"),
        (ModelConfig, {"readout_units": -1}, "model.readout_units=-1 must not be negative"),
        (ModelConfig, {"readout_units": 8}, "model.readout_units=8 needs model.tie='none', since"),
        (ModelConfig, {"decoder_layers": 0}, "model.decoder_layers=0 must be at least 1"),
        (ModelConfig, {"dropout_layers": 1.0}, "model.dropout_layers=1.0 must be from 0 to below"),
        (ModelConfig, {"attention_heads": 3}, "model.decoder_units=512 must be divisible by"),
        (ModelConfig, {"attention": "dot", "encoder_units": 8}, "the encoder's width 16; take"),
        (TrainConfig, {"batch_tokens": 0}, "train.batch_tokens=0 must be at least 1"),
        (TrainConfig, {"keep_checkpoints": 0}, "train.keep_checkpoints=0 must be at least 1"),
        (TrainConfig, {"patience": -1}, "train.patience=-1 must not be negative"),
        (TrainConfig, {"ema": 1.0}, "train.ema=1.0 must be from 0 to below 1"),
        (TrainConfig, {"rate": 0.0}, "train.rate=0.0 must be above 0"),
        (
            TrainConfig,
            {"schedule": "cosine", "decay_steps": 400},
            "train.decay_steps=400 must lie after train.warmup_steps=400",
        ),
        (
            TrainConfig,
            {"validate_sentences": 0},
            "train.stop_metric='bleu' needs train.validate_sentences above 0",
        ),
        (TrainConfig, {"processes": 2}, "train.process are given together"),
        (
            TrainConfig,
            {"coordinator": "a:1", "processes": 2, "process": 2},
            "process below processes; given were 'a:1', 2, 2",
        ),
        (TranslateConfig, {"nbest": 6}, "translate.nbest=6 must be from 1 to translate.beam=5"),
        (TranslateConfig, {"beam": 257}, "translate.beam=257 must be at most 256"),
        (TranslateConfig, {"block_ngrams": -1}, "translate.block_ngrams=-1 must not be negative"),
        (TranslateConfig, {"max_length_ratio": 0.0}, "translate.max_length_ratio=0.0 must be"),
        (TranslateConfig, {"chunk": 0}, "translate.chunk=0 must be at least 1"),
        (EvaluateConfig, {"metrics": ()}, "evaluate.metrics must name at least one of bleu"),
        (EvaluateConfig, {"resamples": -1}, "evaluate.resamples=-1 must be from 0 to 1000000"),
        (EvaluateConfig, {"confidence": 1.0}, "evaluate.confidence=1.0 must be from 0.5 to below"),
        (EvaluateConfig, {"examples": -1}, "evaluate.examples=-1 must not be negative"),
    ],
)
def test_a_contradiction_is_refused_in_a_sentence(
    section: type, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        section(**given)
    text = str(caught.value)
    assert message in text
    assert "{" not in text
    assert not text.endswith(".")


def test_a_config_error_is_the_users_mistake() -> None:
    assert issubclass(ConfigError, UserError)


@pytest.mark.parametrize("name", SECTIONS)
def test_settings_cannot_be_changed_in_place(name: str) -> None:
    section = SECTIONS[name]
    first = dataclasses.fields(section)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(section, first, getattr(section, first))


def test_every_setting_has_a_default_of_its_annotated_type() -> None:
    for name, section in SECTIONS.items():
        hints = typing.get_type_hints(type(section))
        for field in dataclasses.fields(section):
            value, kind = getattr(section, field.name), hints[field.name]
            union = typing.get_origin(kind) in (types.UnionType, typing.Union)
            choices = typing.get_args(kind) if union else (kind,)
            assert any(is_of(value, choice) for choice in choices), f"{name}.{field.name}"


def is_of(value: object, kind: object) -> bool:
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return value in typing.get_args(kind)
    return type(value) is (origin or kind)


def test_importing_the_settings_loads_nothing_but_the_standard_library() -> None:
    imported = {name for name in vars(module) if not name.startswith("_")}
    assert imported.isdisjoint({"jax", "numpy", "flax"})


@pytest.mark.parametrize(
    ("layers", "bidirectional", "width"), [(2, "all", 512), (2, "first", 256), (1, "first", 512)]
)
def test_memory_width_follows_the_last_encoder_layer(
    layers: int, bidirectional: typing.Literal["all", "first"], width: int
) -> None:
    model = ModelConfig(encoder_layers=layers, bidirectional=bidirectional, encoder_units=256)
    assert model.memory_units == width


def test_paths_of_a_corpus_are_those_given() -> None:
    assert Corpus(pairs="a.tsv").paths == ("a.tsv",)
    assert Corpus(source="a.de", target="a.en").paths == ("a.de", "a.en")
