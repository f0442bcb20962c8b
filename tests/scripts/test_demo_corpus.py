"""The generated corpus: right German, one English for each German, parts that share nothing."""

import lzma
import subprocess
import sys
from pathlib import Path

import pytest
from demo_corpus import corpus, english, frames, german, lexicon, numbers
from demo_corpus.sampling import Draw

ROOT = Path(__file__).parents[2]
MAKE = [sys.executable, str(ROOT / "scripts" / "make_demo_corpus.py")]
SHIPPED = ROOT / "data" / "demo"


def drawn(count: int, seed: str = "test") -> list[frames.Sentence]:
    draw = Draw(seed)
    return [frames.sentence(draw) for _ in range(count)]


def verb(lemma: str) -> german.Verb:
    return next(word.german for word in lexicon.verbs() if word.lemma == lemma)


def noun(lemma: str) -> lexicon.Noun:
    return lexicon.nouns_of((f"lemma:{lemma}",))[0]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAKE, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


def test_the_lexicon_is_large_and_has_no_lemma_twice():
    nouns = [word.german for word in lexicon.nouns()]
    adjectives = [word.german for word in lexicon.adjectives()]
    assert len(set(nouns)) == len(nouns)
    assert len(set(adjectives)) == len(adjectives)
    verbs = {word.lemma for word in (*lexicon.verbs(), *lexicon.plans())}
    assert len(nouns) + len(adjectives) + len(verbs) >= 700


@pytest.mark.parametrize(
    ("lemma", "forms"),
    [
        ("lesen", "lese liest liest lesen lest lesen"),
        ("arbeiten", "arbeite arbeitest arbeitet arbeiten arbeitet arbeiten"),
        ("öffnen", "öffne öffnest öffnet öffnen öffnet öffnen"),
        ("zeichnen", "zeichne zeichnest zeichnet zeichnen zeichnet zeichnen"),
        ("lernen", "lerne lernst lernt lernen lernt lernen"),
        ("lächeln", "lächle lächelst lächelt lächeln lächelt lächeln"),
    ],
)
def test_the_present_follows_the_endings_of_each_class(lemma, forms):
    assert [german.present(verb(lemma), person) for person in german.PERSONS] == forms.split()


@pytest.mark.parametrize(
    ("lemma", "form"),
    [
        *(("lesen", "lies"), ("geben", "gib"), ("nehmen", "nimm"), ("fahren", "fahr")),
        *(("warten", "warte"), ("unterbrechen", "unterbrich"), ("betreten", "betritt")),
        *(("reparieren", "reparier"), ("öffnen", "öffne"), ("lächeln", "lächle")),
    ],
)
def test_the_imperative_changes_e_to_i_and_nothing_else(lemma, form):
    assert german.imperative(verb(lemma)) == form


def test_articles_adjectives_and_nouns_agree_in_all_cases():
    def declined(stem, word, gender):
        forms = noun(word).forms
        return [
            " ".join(
                part
                for part in (
                    german.determiner(stem, gender, case) if stem else "",
                    german.adjective("alt", stem, gender, case),
                    german.noun(forms, gender, case),
                )
                if part
            )
            for case in german.CASES
        ]

    assert declined("der", "Hund", "m") == [
        *("der alte Hund", "den alten Hund", "dem alten Hund", "des alten Hundes")
    ]
    assert declined("ein", "Buch", "n") == [
        *("ein altes Buch", "ein altes Buch", "einem alten Buch", "eines alten Buches")
    ]
    assert declined("euer", "Tante", "f") == [
        *("eure alte Tante", "eure alte Tante", "eurer alten Tante", "eurer alten Tante")
    ]
    assert declined("", "Hund", "p") == [
        *("alte Hunde", "alte Hunde", "alten Hunden", "alter Hunde")
    ]
    assert declined("dies", "Student", "m") == [
        *("dieser alte Student", "diesen alten Studenten"),
        *("diesem alten Studenten", "dieses alten Studenten"),
    ]


def test_every_genitive_and_plural_has_a_form_that_its_gender_allows():
    wrong = [
        word.german
        for word in lexicon.nouns()
        if (word.gender == "f" and word.forms[1] != word.german)
        or (word.gender != "f" and word.forms[1][-1] not in "sn" and "language" not in word.kinds)
        or word.forms[2].endswith(("ß", "x"))
    ]
    assert not wrong


def test_every_form_of_a_verb_belongs_to_its_infinitive():
    def is_right(forms: german.Verb) -> bool:
        return (
            forms.auxiliary in ("haben", "sein")
            and forms.participle.startswith(forms.prefix)
            and forms.participle[-1] in "tn"
            and forms.infinitive.endswith("n")
            and forms.du.endswith(("st", "ßt", "zt", "xt"))
            and (forms.er.endswith("t") or forms.infinitive == "wissen")
        )

    words = (*lexicon.verbs(), *lexicon.plans())
    assert not [word.lemma for word in words if not is_right(word.german)]
    assert not [word.lemma for word in words if "ing" not in word.english.ing.split(" ")[0][-3:]]


def test_every_kind_that_a_word_asks_for_has_nouns():
    goals = {("direction",), ("journey",), ("city",)}
    for word in lexicon.verbs():
        for kinds in (word.subjects, *(slot.kinds for slot in word.slots)):
            assert kinds in goals or all(lexicon.nouns_of((kind,)) for kind in kinds)
    kinds = {kind for word in lexicon.nouns() for kind in word.kinds}
    assert not [word.german for word in lexicon.adjectives() if word.kinds - kinds]
    assert lexicon.places()


def test_a_relative_clause_has_both_its_commas_and_only_those():
    for pair in drawn(3_000):
        for text in (pair.german, pair.english):
            assert ",," not in text
            assert ",." not in text
            assert "  " not in text
            assert text[0].isupper() or text[0].isdigit()
            assert text[-1] in ".?!"


def test_the_english_is_a_function_of_the_german():
    said: dict[str, str] = {}
    for pair in drawn(30_000):
        assert said.setdefault(pair.german, pair.english) == pair.english


def test_all_frames_are_drawn_and_hardly_any_pair_twice():
    pairs = drawn(10_000)
    assert {pair.frame for pair in pairs} == {frame.__name__ for frame, _ in frames.FRAMES}
    assert len({pair.german for pair in pairs}) > 0.99 * len(pairs)


def test_no_part_shares_a_sentence_and_unseen_shares_no_combination():
    parts = {name: corpus.draw_part(name, 3, 0, 300) for name in ("valid", "test", "unseen")}
    train = corpus.draw_part("train", 3, 0, 3_000)
    for pairs in parts.values():
        assert not {pair.german for pair in pairs} & {pair.german for pair in train}
    seen = {corpus.combination(pair) for pair in train}
    assert not seen & {corpus.combination(pair) for pair in parts["unseen"]}


def test_clock_times_and_prices_are_said_as_people_say_them():
    assert numbers.clock(8, 30) == ("halb neun", "half past eight")
    assert numbers.clock(12, 45) == ("Viertel vor eins", "quarter to one")
    assert numbers.clock(1, 0) == ("ein Uhr", "one o'clock")
    assert numbers.price(129_990) == ("1.299,90 Euro", "1,299.90 euros")
    assert numbers.price(100) == ("1 Euro", "1 euro")
    assert numbers.cardinal(21) == ("einundzwanzig", "twenty-one")
    assert numbers.cardinal(70) == ("siebzig", "seventy")


def test_english_words_take_the_endings_and_articles_that_they_are_spoken_with():
    assert english.with_article("old house") == "an old house"
    assert english.with_article("university") == "a university"
    assert english.with_article("honest man") == "an honest man"
    take = english.Verb("carry out", "carried out", "carried out", "carrying out", act=True)
    assert english.present(take, "3s") == "carries out"
    assert english.possessive("my parents", "3p") == "my parents'"
    assert english.possessive("my boss", "3s") == "my boss's"


def test_what_is_shipped_is_what_the_generator_writes():
    for name in ("train", "valid"):
        german_lines, english_lines = (
            lzma.decompress((SHIPPED / f"{name}.{language}.xz").read_bytes()).decode().splitlines()
            for language in corpus.LANGUAGES
        )
        pairs = corpus.draw_part(name, 1, 0, min(len(german_lines), 500))
        assert [pair.german for pair in pairs] == german_lines[: len(pairs)]
        assert [pair.english for pair in pairs] == english_lines[: len(pairs)]


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        arguments = ("--pairs", "50", "--held-out", "5", "--seed", seed)
        assert make(str(tmp_path / name), *arguments).returncode == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(
        f"{part}.{language}"
        for part in ("train", "valid", "test", "unseen")
        for language in corpus.LANGUAGES
    )
    for name in names:
        text = (tmp_path / "one" / name).read_bytes()
        assert text == (tmp_path / "same" / name).read_bytes()
        assert text != (tmp_path / "other" / name).read_bytes()
    assert (tmp_path / "one" / "train.de").read_text().count("\n") == 50
    assert (tmp_path / "one" / "unseen.en").read_text().count("\n") == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the folder"),
        (("folder", "--pairs", "0"), "at least 1"),
        (("README.md/folder",), "README.md"),
        (("folder", "--sausages", "3"), "--sausages"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(arguments, said):
    process = make(*arguments)
    assert process.returncode == 2
    assert said in process.stderr
    assert process.stderr.count("\n") == 1
