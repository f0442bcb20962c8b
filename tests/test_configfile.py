"""TOML in, JSON out, overrides, and a sentence for every wrong use."""

import dataclasses
from pathlib import Path

import pytest

from seq2seq import cli, configfile
from seq2seq.config import Config, ConfigError, Corpus

SHIPPED = sorted((Path(__file__).parents[1] / "configs").glob("*.toml"))

EVERYTHING = """\
[data]
prepared = "prepared/ä"
train = [
    {source = "a.de", target = "a.en"},
    {pairs = "b.tsv", weight = 2},
]
drop_duplicates = true

[tokenizer]
symbols = ["<a>", "<b>"]

[train]
rate = 1e-3
optimizer = "sgd"

[evaluate]
metrics = ["bleu"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(EVERYTHING, encoding="utf-8")
    return path


def test_what_the_file_leaves_out_has_its_default(file: Path) -> None:
    config = configfile.load(file)
    assert config.train == dataclasses.replace(Config().train, rate=0.001, optimizer="sgd")
    assert config.data.train == (
        Corpus(source="a.de", target="a.en"),
        Corpus(pairs="b.tsv", weight=2.0),
    )
    assert config.model == Config().model


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.touch()
    assert configfile.load(path) == Config()


def test_json_keeps_every_setting(file: Path, tmp_path: Path) -> None:
    config = configfile.load(file)
    path = tmp_path / "written.json"
    path.write_text(configfile.to_json(config), encoding="utf-8")
    assert configfile.from_json(path) == config
    assert "ä" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.seed=2", 2),
        ("train.rate=1e-4", 1e-4),
        ("train.rate=1", 1.0),
        ("train.tensorboard=true", True),
        ("train.optimizer=adamw", "adamw"),
        ("train.optimizer='adamw'", "adamw"),
        ("data.prepared=runs/a b", "runs/a b"),
        ("data.prepared=2024", "2024"),
        ("data.prepared=", ""),
        ("data.prepared=a=b", "a=b"),
        (" data.prepared = spaced ", "spaced"),
        ("evaluate.metrics=['ter']", ("ter",)),
        ("data.train=[{pairs='c.tsv'}]", (Corpus(pairs="c.tsv"),)),
    ],
)
def test_an_override_is_a_toml_value_or_bare_text(override: str, value: object) -> None:
    section, key = override.split("=")[0].strip().split(".")
    config = configfile.override(Config(), [override])
    assert getattr(getattr(config, section), key) == value


def test_the_last_override_wins_over_the_earlier_and_over_the_file(file: Path) -> None:
    config = configfile.load(file, ["train.rate=2e-3", "train.rate=3e-3"])
    assert config.train.rate == 3e-3


def test_an_override_leaves_the_rest_of_a_config_alone(file: Path) -> None:
    config = configfile.load(file)
    changed = configfile.override(config, ["translate.beam=8"])
    assert configfile.differences(config, changed) == [("translate.beam", 5, 8)]
    assert configfile.differences(changed, changed) == []


WRONG_USES = [
    ("[train]\nrat = 1", [], "unknown setting 'train.rat' in FILE; did you mean 'rate'?"),
    ("[trian]\nrate = 1", [], "unknown section 'trian' in FILE; did you mean 'train'?"),
    ("[train]\nxyzzy = 1", [], "unknown setting 'train.xyzzy' in FILE; there are seed, precision"),
    ("xyz = 1", [], "unknown section 'xyz' in FILE; there are data, tokenizer, model"),
    ("train = 1", [], "train=1 in FILE must be a section of settings"),
    ("[train]\nrate = 'fast'", [], "train.rate='fast' in FILE must be a number"),
    ("[train]\nrate = true", [], "train.rate=True in FILE must be a number"),
    ("[train]\nrate = nan", [], "train.rate=nan in FILE must be a number"),
    ("[train]\nrate = -inf", [], "train.rate=-inf in FILE must be a number"),
    ("[train]\nseed = 1.5", [], "train.seed=1.5 in FILE must be a whole number"),
    ("[train]\nseed = true", [], "train.seed=True in FILE must be a whole number"),
    ("[train]\ntensorboard = 1", [], "train.tensorboard=1 in FILE must be true or false"),
    ("[data]\nroot = ['a']", [], "data.root=['a'] in FILE must be text"),
    (
        "[train]\noptimizer = 'adamm'",
        [],
        "train.optimizer='adamm' in FILE must be one of 'adam', 'adamw', 'sgd'; did you mean",
    ),
    ("[evaluate]\nmetrics = 'bleu'", [], "must be a list, as in ['a', 'b']"),
    ("[evaluate]\nmetrics = ['blue']", [], "must be one of 'bleu', 'chrf', 'ter'; did you mean 'b"),
    ("[data]\ntrain = {pairs = 'a'}", [], "must be a list, as in [{source = 'a.de', target ="),
    ("[data]\ntrain = ['a.de']", [], "data.train='a.de' in FILE must be a section of settings"),
    (
        "[data]\ntrain = [{sorce = 'a'}]",
        [],
        "unknown setting 'data.train.sorce' in FILE; did you mean 'source'?",
    ),
    ("[train", [], "config file FILE is not valid TOML: "),
    ("[train]\nrate = 1e-3\nrate = 2", [], "config file FILE is not valid TOML: "),
    (
        "",
        ["train.rate"],
        "--set takes section.key=value, as in train.seed=2; given was 'train.rate'",
    ),
    ("", ["rate=2"], "--set takes section.key=value, as in train.seed=2; given was 'rate=2'"),
    ("", [".rate=2"], "given was '.rate=2'"),
    ("", ["train.=2"], "given was 'train.=2'"),
    ("", ["train.raet=2"], "unknown setting 'train.raet' in --set; did you mean 'rate'?"),
    ("", ["tain.rate=2"], "unknown section 'tain' in --set; did you mean 'train'?"),
    ("", ["train.rate=fast"], "train.rate='fast' in --set must be a number"),
    ("", ["train.seed=1e3"], "train.seed=1000.0 in --set must be a whole number"),
    ("", ["train.tensorboard=yes"], "train.tensorboard='yes' in --set must be true or false"),
    ("", ["translate.beam=0"], "translate.nbest=1 must be from 1 to translate.beam=0"),
    ("[train]\nrat = 1", ["train.seed=2"], "unknown setting 'train.rat' in FILE; did you mean"),
    ("", ["data.train=[{sorce='a'}]"], "unknown setting 'data.train.sorce' in --set; did you"),
    ("train = 1", ["train.rate=2"], "'train' must be a section, not 1"),
]


@pytest.mark.parametrize(("text", "overrides", "message"), WRONG_USES)
def test_a_wrong_use_is_one_sentence_and_status_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    overrides: list[str],
    message: str,
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    assert cli.status(lambda argv: void(configfile.load(path, argv)), overrides) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert message.replace("FILE", repr(str(path))) in line


def void(_: object) -> None:
    """A stage's main returns nothing."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "config file {path!r} does not exist"),
        (lambda path: path.mkdir(), "config file {path!r} is a folder; name a .toml file"),
        (
            lambda path: path.write_bytes(b"# M\xfcller"),
            "config file {path!r} is not UTF-8 at byte 3; save it as UTF-8",
        ),
        (
            lambda path: path.with_name("file").touch() or path.symlink_to("file/inside"),
            "config file {path!r} cannot be read: Not a directory",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, make, message: str) -> None:
    path = tmp_path / "a.toml"
    make(path)
    with pytest.raises(ConfigError) as caught:
        configfile.load(path)
    assert str(caught.value) == message.format(path=str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "must hold one JSON object"),
        ('{"train": {"rate": NaN}}', "train.rate=nan in"),
        ('{"train": {"rats": 1}}', "unknown setting 'train.rats'"),
    ],
)
def test_a_json_config_that_was_tampered_with_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        configfile.from_json(path)
    assert repr(str(path)) in str(caught.value)


def test_a_missing_json_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        configfile.from_json(tmp_path / "config.json")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_config_loads_and_names_no_machines_folders(path: Path) -> None:
    config = configfile.load(path)
    assert config.data.train
    named = [
        *(config.data.root, config.data.prepared),
        *(name for corpus in config.data.train for name in corpus.paths),
    ]
    assert [name for name in named if Path(name).is_absolute()] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_config_opens_with_its_command(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("[", 1)[0]
    assert f"configs/{path.name}" in head


def test_a_batch_size_is_a_number_or_auto():
    assert configfile.from_tree({}, ["train.batch_tokens=auto"]).train.batch_tokens == "auto"
    assert configfile.from_tree({}, ["train.batch_tokens=64"]).train.batch_tokens == 64
    for wrong in ("atuo", "1.5", "true"):
        with pytest.raises(ConfigError, match="must be a whole number or 'auto'"):
            configfile.from_tree({}, [f"train.batch_tokens={wrong}"])
