"""All four stages on a little German and English made up here: what is learnt and promised.

Every line has its own subject, verb and object, and German puts the verb first after an adverb:
who ignores the source, or its order, cannot score well.
"""

import itertools
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seq2seq import Translator, cli, evaluate, prepare, train, translate
from seq2seq.layout import PreparedFolder, RunFolder

Word = tuple[str, str]  # German, English

pytestmark = pytest.mark.slow

NOUNS = {
    **{"der Hund": "dog", "der Mann": "man", "der Vogel": "bird", "der Fisch": "fish"},
    **{"die Katze": "cat", "die Frau": "woman", "die Maus": "mouse", "die Kuh": "cow"},
    **{"das Kind": "child", "das Pferd": "horse", "das Huhn": "chicken", "das Schaf": "sheep"},
}
VERBS = {
    **{"sieht": "sees", "hört": "hears", "kennt": "knows", "sucht": "looks for"},
    **{"findet": "finds", "ruft": "calls", "mag": "likes", "malt": "paints"},
}
ADVERBS = {"": "", "heute": "today", "oft": "often", "morgens": "in the morning"}
# Three seeds reached 98.7 and 99.2 or more. Right sentences in the wrong order get 10 and 30.
LEAST_BLEU, LEAST_CHRF = 90.0, 95.0
CONFIG = """
[data]
prepared = "prepared"
train = [{ source = "train.de", target = "train.en" }]
valid = [{ source = "valid.de", target = "valid.en" }]
test = [{ source = "test.de", target = "test.en" }]

[tokenizer]
kind = "bpe"
vocabulary = 500

[model]
embedding = 64
encoder_layers = 1
encoder_units = 64
decoder_layers = 1
decoder_units = 64
dropout_embedding = 0.1
dropout_layers = 0.1
dropout_output = 0.1

[train]
batch_tokens = 256
shapes = 2
rate = 5e-3
schedule = "linear"
warmup_steps = 30
decay_steps = 500
max_epochs = 7
validate_sentences = 100
average_best = 1 # what an average scored is not in metrics.jsonl

[translate]
cache = "off"
"""


def pairs(count: int) -> list[tuple[str, str]]:
    """Different sentences, as many as are asked for."""
    combinations = itertools.product(ADVERBS.items(), NOUNS.items(), VERBS.items(), NOUNS.items())
    return [sentence(*each) for each in random.Random(1).sample(list(combinations), count)]


def sentence(adverb: Word, subject: Word, verb: Word, thing: Word) -> tuple[str, str]:
    source = [subject[0], verb[0]] if not adverb[0] else [adverb[0], verb[0], subject[0]]
    target = [adverb[1], f"the {subject[1]}", verb[1], f"the {thing[1]}"]
    sides = [*source, thing[0].replace("der ", "den ")], filter(None, target)
    german, english = (" ".join(words) for words in sides)
    return f"{german[0].upper()}{german[1:]}.", f"{english[0].upper()}{english[1:]}."


def follow(stage: Any, *arguments: object) -> None:
    assert cli.status(stage.main, list(map(str, arguments))) == cli.DONE


def prepared(path: Path) -> tuple[object, ...]:
    settings = (f"data.root={path}", f"data.prepared={path / 'prepared'}")
    return (path / "my.toml", *(word for each in settings for word in ("--set", each)))


def scored(path: Path, split: str) -> dict[str, float]:
    report = path / f"{split}.json"
    texts = ("--source", path / f"{split}.de", "--reference", path / f"{split}.en")
    follow(evaluate, path / "run", *texts, "--format", "json", "--output", report)
    scores = json.loads(report.read_text(encoding="utf-8"))["scores"]
    return {score["metric"]: score["value"] for score in scores}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run once."""
    path = tmp_path_factory.mktemp("pipeline")
    everything = pairs(2_000)
    cuts = {"valid": everything[:100], "test": everything[100:200], "train": everything[200:]}
    for name, part in cuts.items():
        for place, side in enumerate(("de", "en")):
            text = "".join(f"{pair[place]}\n" for pair in part)
            (path / f"{name}.{side}").write_text(text, encoding="utf-8")
    (path / "my.toml").write_text(CONFIG, encoding="utf-8")
    follow(prepare, *prepared(path))
    follow(train, *prepared(path), path / "run")
    output = path / "valid.out"
    follow(translate, path / "run", "--input", path / "valid.de", "--output", output)
    return path


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def test_what_was_held_back_is_translated_well(done: Path) -> None:
    scores = scored(done, "test")
    assert scores["bleu"] > LEAST_BLEU
    assert scores["chrf"] > LEAST_CHRF


def test_validation_bleu_is_that_of_evaluate_and_of_sacrebleu(done: Path) -> None:
    run = RunFolder(done / "run")
    records = map(json.loads, lines(run.metrics))
    bleu_at = {entry["step"]: entry["valid_bleu"] for entry in records if "valid_bleu" in entry}
    best = int(run.best.resolve().name)
    assert bleu_at[best] == max(bleu_at.values())
    assert scored(done, "valid")["bleu"] == pytest.approx(bleu_at[best], abs=1e-9)
    command = [sys.executable, "-m", "sacrebleu", str(done / "valid.en")]
    options = ["--input", str(done / "valid.out"), "--score-only", "--width", "9"]
    result = subprocess.run(command + options, capture_output=True, text=True, check=True)
    assert float(result.stdout) == pytest.approx(bleu_at[best], abs=1e-8)


def test_prepare_again_is_a_no_op_that_says_so(
    done: Path, caplog: pytest.LogCaptureFixture
) -> None:
    meta = PreparedFolder(done / "prepared").meta
    before = meta.stat().st_mtime_ns
    with caplog.at_level("INFO", "seq2seq"):
        follow(prepare, *prepared(done))
    assert f"{done / 'prepared'} is up to date: nothing to do" in caplog.messages
    assert meta.stat().st_mtime_ns == before


def test_train_again_says_that_it_was_finished(
    done: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = RunFolder(done / "run")
    before = run.metrics.read_bytes(), run.best.readlink()
    with caplog.at_level("INFO", "seq2seq"):
        follow(train, *prepared(done), done / "run")
    assert any(message.startswith("training was finished before") for message in caplog.messages)
    assert (run.metrics.read_bytes(), run.best.readlink()) == before


def test_class_and_command_and_a_run_that_was_moved_give_the_same_text(
    done: Path, tmp_path: Path
) -> None:
    expected = lines(done / "valid.out")
    assert len(expected) == 100
    assert Translator.load(done / "run").translate(lines(done / "valid.de")) == expected
    moved = tmp_path / "elsewhere"
    (done / "run").rename(moved)
    (done / "prepared").rename(tmp_path / "away")
    try:
        with (done / "valid.de").open("rb") as text:
            result = subprocess.run(
                [sys.executable, "-m", "seq2seq.translate", str(moved)],
                stdin=text,
                capture_output=True,
                encoding="utf-8",
                check=True,
            )
    finally:
        moved.rename(done / "run")
        (tmp_path / "away").rename(done / "prepared")
    assert result.stdout.removesuffix("\n").split("\n") == expected
    assert result.stderr == ""
