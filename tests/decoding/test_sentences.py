"""Where sentences end; the trap is always a full stop that is none."""

import random

import pytest

from seq2seq.decoding.sentences import ends_sentence, sentences


def split(text: str) -> list[str]:
    return [sentence for sentence, _ in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Das ist z. B. ein Hund.",
        "Das ist z.B. Hunden egal, d. h. allen.",
        "Er heißt Prof. Dr. Müller und wohnt in St. Gallen.",
        "Siehe Nr. 5, Abb. 3 und Bd. II.",
        "Am 3. Mai kam er, am 12. Juni ging er.",
        "Im 19. Jahrhundert lebte Ludwig XIV. Hunde hielt er auch.",
        "Am 3. 5. 2024 um acht.",
        "Es kostet 3.5 Euro oder 1.200,50 Euro.",
        "Johann S. Bach und J. R. R. Tolkien.",
        "Er kam ... und ging.",
        "Er kam… und ging.",
        "„Komm!“ rief sie.",
        "„Warum?“, fragte er (leise!), und ging.",
        "Äpfel, Birnen usw. kaufte er.",
        "Siehe https://example.org/a.b?c=1.5 und www.example.org dort.",
        "Mr. Smith met Mrs. Jones, i. e. Ann, at 5 p.m. sharp.",
        "kein Ende",
        "3.",
    ],
)
def test_a_full_stop_that_ends_no_sentence_cuts_none(text):
    assert split(text) == [text]


@pytest.mark.parametrize(
    "wanted",
    [
        ["Eins.", "Zwei!", "Drei?", "Vier?!", "Fünf…", "Sechs...", "Ende"],
        ["„Komm!“", "Hans ging.", "»Nein.«", "(Doch.)", '"Gut."', "Aus."],
        ["Das war 1999.", "Hunde bellten."],
        ["Er ist 12.", "Sie ist 10."],
        ["Es gibt Äpfel, Birnen usw.", "Das ist alles."],
        ["He lives in the U.S.", "The end."],
        ["Siehe www.example.org.", "Hunde bellen."],
        ["Es kam Plan B.", "Der ging."],
        ["Sie zahlte 3,5 Mio. Euro.", "5 Hunde kamen."],
        ["Он пришёл.", "Она ушла."],
    ],
)
def test_sentences_are_cut_where_they_end(wanted):
    assert split(" ".join(wanted)) == wanted


def test_scripts_that_write_no_spaces_have_full_stops_of_their_own():
    assert split("你好。「再见！」好") == ["你好。", "「再见！」", "好"]  # noqa: RUF001


def test_sentences_and_what_is_between_them_are_the_text():
    draw = random.Random(1)
    words = ["Hund", "z.", "B.", "3.", "“", "?", "...", " ", "  ", "\t", "Das", "。", "Dr.", "ist"]
    for _ in range(2_000):
        text = "".join(draw.choices(words, k=draw.randint(0, 20)))
        parts = list(sentences(text))
        assert "".join(sentence + gap for sentence, gap in parts) == text
        assert all(not gap.strip() for _, gap in parts)


def test_the_end_of_a_sentence_is_seen_behind_quotation_marks():
    assert ends_sentence("Sie sagte: „Nein.“")
    assert ends_sentence("Einkauf:")
    assert not ends_sentence("Er sagte, ")
