"""Wishes of a line, through a whole model."""

import itertools
import json

import pytest

from seq2seq import Request, Translator
from seq2seq.corpus.tokenizer import Tokenizer
from seq2seq.decoding.translation import FLAGS
from seq2seq.decoding.wording import Wordings
from seq2seq.errors import UserError

pytestmark = pytest.mark.slow  # every kind of wish is compiled

WISHES = [
    Request("Der Hund läuft."),
    Request("Ein Kind spielt.", prefix="der hu"),
    Request("Der Hund läuft.", prefix="Ein Mann "),
    Request("Ein Kind spielt.", contain=("katze", "Straße mit")),
    Request("Ein Kind spielt.", avoid=("hund", "die")),
    Request("Ein Kind spielt.", prefix="der", contain=("😀",), avoid=("mann",)),
    Request(""),
]


def holds(text: str, request: Request) -> bool:
    words = f" {text.replace('.', ' ').lower()} "
    return (
        f"{text} ".startswith(request.prefix)
        and all(phrase.lower() in words for phrase in request.contain)
        and not any(f" {phrase} " in words for phrase in request.avoid)
    )


@pytest.fixture(scope="module")
def wishing(model):
    """One number of hypotheses for most tests: each takes some compiling."""
    return Translator.load(model.path, ["translate.nbest=3"])


def test_every_output_is_as_its_line_asks_for(wishing):
    for request, result in zip(WISHES, wishing.translate_all(WISHES), strict=True):
        assert result.source == request.source
        assert "unmet" not in result.flags
        for output in (result, *result.alternatives):
            assert holds(output.translation, request), output.translation


def test_the_score_is_that_of_forced_decoding(wishing):
    for request, result in zip(WISHES[1:4], wishing.translate_all(WISHES[1:4]), strict=True):
        ids = [wishing._target._processor.PieceToId(token.piece) for token in result.tokens]
        assert result.score == pytest.approx(sum(wishing.force(request.source, ids)), abs=1e-4)


@pytest.mark.parametrize(
    "options", [["diversity=0.7", "min_length_ratio=0.8"], ["sampling=true", "top_k=9"]]
)
def test_whatever_is_asked_for_neighbours_and_order_change_nothing(model, options):
    translator = Translator.load(model.path, [f"translate.{each}" for each in options])
    wishes = [WISHES[0], WISHES[2], WISHES[4] if "sampling=true" in options else WISHES[3]]
    together = translator.translate_all(wishes)
    assert together[::-1] == translator.translate_all(wishes[::-1])
    assert together == [translator.translate_all([wish])[0] for wish in wishes]
    assert together[0] == translator.translate_all([wishes[0].source])[0]
    assert len({result.translation for result in together}) == 3


def test_samples_are_several_and_change_with_the_seed(model):
    def drawn(*options: str) -> list[str]:
        settings = [f"translate.{each}" for each in ("sampling=true", *options)]
        result = Translator.load(model.path, settings).translate_all(["Der Hund läuft."])[0]
        assert result.score == pytest.approx(
            sum(token.log_probability for token in result.tokens), abs=1e-4
        )
        return [result.translation, *(each.translation for each in result.alternatives)]

    four = drawn("nbest=4")
    assert len(set(four)) > 1
    assert drawn("nbest=4") == four
    assert drawn("nbest=4", "seed=2") != four


def test_what_cannot_be_is_flagged_and_the_line_translated_all_the_same(wishing):
    impossible = Request("Der Hund läuft.", prefix="Ein", contain=("katze",), avoid=("katze",))
    result = wishing.translate_all([impossible])[0]
    assert "unmet" in result.flags
    assert "unmet" in FLAGS
    assert result.translation.startswith("Ein")


def test_a_line_in_parts_begins_with_the_prefix_and_never_has_what_it_should_avoid(wishing):
    sentence = "Der Hund läuft über die Straße mit dem Kind."
    request = Request(" ".join([sentence] * 3), prefix="Das Kind ", avoid=("hund", "frau"))
    result = wishing.translate_all([request])[0]
    assert "split" in result.flags
    assert holds(result.translation, request)


def test_samples_cannot_be_made_to_contain_a_phrase(model):
    translator = Translator.load(model.path, ["translate.sampling=true"])
    with pytest.raises(UserError, match=r"need a beam; set translate\.sampling=false"):
        translator.translate_all([WISHES[3]])


def test_what_is_normalised_in_a_source_is_normalised_in_wishes(model):
    wordings = Wordings(Tokenizer.load(model.tokenizer("target")))
    plain = Request("x", prefix="Straße ", contain=("die katze",))
    written = Request("x", prefix="Stra\u00dfe\u00a0", contain=(" die  katze\t",))
    one, other = (wordings.of(request, 1)[0] for request in (plain, written))
    assert one
    assert other
    assert one.rules == other.rules


def test_requests_come_in_as_lines_of_json(wishing, model, capfd):
    from seq2seq import translate

    lines = [
        json.dumps({"source": wish.source, "prefix": wish.prefix, "avoid": wish.avoid})
        for wish in WISHES[:3]
    ]
    options = ["--nbest", "3", "--format", "json", "--set", "translate.input_format=json"]
    translate.main([str(model.path), *lines, *options])
    out = capfd.readouterr().out.split("\n")[:-1]
    assert out == [result.to_json() for result in wishing.translate_all(WISHES[:3])]
    with pytest.raises(UserError, match="line 2 of the input: no JSON"):
        translate.main([str(model.path), lines[0], "x", *options])


def test_the_spelling_of_pieces_is_what_they_decode_to(model):
    tokenizer = Tokenizer.load(model.tokenizer("target"))
    for text in ("Der Hund, über 42 😀!", "a\u0301 Straße"):
        ids = tokenizer.encode(text)
        spelled = b"".join(tokenizer.spellings[piece] for piece in ids).decode()
        assert spelled.strip() == tokenizer.decode(ids)
    assert not any(itertools.compress(tokenizer.spellings, range(4)))
