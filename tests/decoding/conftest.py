"""A model folder with a tiny network: untrained, but with weights so large that outputs vary."""

import io
import random

import jax
import pytest
import sentencepiece

from seq2seq import config, configfile, layout
from seq2seq.decoding import guards
from seq2seq.model import network, weights

WORDS = (
    *("der", "hund", "die", "katze", "ein", "haus", "grün", "läuft", "spielt", "mann", "frau"),
    *("kind", "und", "straße", "über", "mit"),
)


def text(lines: int, *, seed: int = 0, longest: int = 12) -> list[str]:
    """Lines of one to `longest` words."""
    draw = random.Random(seed)
    return [
        " ".join(draw.choices(WORDS, k=draw.randint(1, longest))).capitalize() + "."
        for _ in range(lines)
    ]


def tokenizer(seed: int) -> bytes:
    """A SentencePiece model of 340 pieces."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text(300, seed=seed)),
        model_writer=model,
        model_type="bpe",
        vocab_size=340,
        byte_fallback=True,
        **{"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "minloglevel": 2},
    )
    return model.getvalue()


def other_architecture() -> config.ModelConfig:
    """A network of another size and shape than the usual one of these tests."""
    return config.ModelConfig(
        embedding=24, encoder_units=16, encoder_layers=1, decoder_units=48, input_feeding=True
    )


def write_model(
    folder: layout.ModelFolder,
    *,
    model: config.ModelConfig | None = None,
    pieces: bytes | None = None,
    max_length: int = 15,
    seed: int = 1,
) -> None:
    """Writes a complete model folder."""
    for side in layout.SIDES:
        folder.tokenizer(side).write_bytes(pieces or tokenizer(seed=0))
    settings = config.Config(
        data=config.DataConfig(max_length=max_length),
        model=model or config.ModelConfig(embedding=32, encoder_units=16, decoder_units=32),
        # Blocked from the beginning: such a model loops, and every search would be compiled twice.
        translate=config.TranslateConfig(
            max_length_ratio=1.0, beam=3, cache="off", block_ngrams=guards.BLOCKED_NGRAMS
        ),
    )
    folder.config.write_text(configfile.to_json(settings), encoding="utf-8")
    fresh = network.initialise(settings.model, network.Sizes(340, 340), seed=seed)
    weights.save(folder, _with_text_keys(jax.tree.map(lambda leaf: 3 * leaf, fresh)))


def _with_text_keys(tree):
    """List positions as text, as they are in a file."""
    if not isinstance(tree, dict):
        return tree
    return {str(key): _with_text_keys(value) for key, value in tree.items()}


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model folder that tests only read."""
    folder = layout.ModelFolder(tmp_path_factory.mktemp("model"))
    write_model(folder)
    return folder


@pytest.fixture(scope="session")
def other_tokenizer():
    """The tokenizer of another model, of the same size."""
    return tokenizer(seed=1)


@pytest.fixture(scope="session")
def translator(model):
    from seq2seq import Translator

    return Translator.load(model.path)
