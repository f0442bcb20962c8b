"""The form of a document survives, and nothing of its text is lost."""

import random
from collections.abc import Callable

import pytest

from seq2seq.decoding.documents import paragraphs


def filled(text: str, translate: Callable[[str], str] = str, *, chunk: int = 5) -> str:
    """The document, every sentence of which went through `translate`."""
    lines = text.split("\n")
    chunks = [lines[start : start + chunk] for start in range(0, len(lines), chunk)]
    found = []
    for group in paragraphs(chunks):
        for paragraph in group:
            skeleton, sentences = paragraph.parts()
            found.append(skeleton.fill(list(map(translate, sentences))))
    return "\n".join(found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Der Hund läuft\nüber die\nStraße.", "Der Hund läuft über die Straße."),
        ("Eins\nzwei.\n\n\nDrei\nvier.", "Eins zwei.\n\n\nDrei vier."),
        ("# Titel\nText\nweiter\n## Unter\nEnde", "# Titel\nText weiter\n## Unter\nEnde"),
        ("Titel\n=====\nText", "Titel\n=====\nText"),
        ("Einkauf:\n- Milch\n- Brot und\n  Butter", "Einkauf:\n- Milch\n- Brot und Butter"),
        ("- a und\n  b\n  * c\n  * d\n- e", "- a und b\n  * c\n  * d\n- e"),
        ("- [x] Eins\n- [ ] Zwei", "- [x] Eins\n- [ ] Zwei"),
        ("1. eins\n2. zwei\n   mehr\n10) drei", "1. eins\n2. zwei mehr\n10) drei"),
        ("(a) eins\n(b) zwei\nund mehr", "(a) eins\n(b) zwei und mehr"),
        ("- eins\nDanke!", "- eins\nDanke!"),
        ("Er kam am\n3. Tag und am\n4. Mai.", "Er kam am 3. Tag und am 4. Mai."),
        ("3. Mai, ein Tag", "3. Mai, ein Tag"),
        ("Er kam – spät\n– doch noch.", "Er kam – spät – doch noch."),  # noqa: RUF001
        ("– Komm!\n– Nein.", "– Komm!\n– Nein."),  # noqa: RUF001
        ("> a\n> b\n>\n> > c\n> > d\n> e", "> a b\n>\n> > c d\n> e"),
        ("    Eins\nzwei.\n    Drei\nvier", "    Eins zwei.\n    Drei vier"),
        ("Eins:\n    zwei\n    drei\nvier", "Eins:\n    zwei drei\nvier"),
        ("Müller, Hans\n    und andere", "Müller, Hans und andere"),
        ("Eins  \nzwei", "Eins  \nzwei"),
        ("| a | b |\n|---|---|\n| c | d |", "| a | b |\n|---|---|\n| c | d |"),
        ("```\nx\ny\n```\na\nb", "```\nx\ny\n```\na b"),
        ("Donau-\nSchiff, Vor-\nund Nachteile", "Donau-Schiff, Vor- und Nachteile"),
        ("a\n---\nb\n* * *\nc", "a\n---\nb\n* * *\nc"),
    ],
)
def test_wrapped_lines_are_joined_and_the_form_is_kept(text, wanted):
    assert filled(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- Ein Hund. Er bellt.  ", "- [Ein Hund.] [Er bellt.]  "),
        ("> ## Der  Wald", "> ## [Der  Wald]"),
        ("Eins.  Zwei.", "[Eins.]  [Zwei.]"),
        ("1. 42\n2. 3,5 %\n3. drei", "1. 42\n2. 3,5 %\n3. [drei]"),
        ("https://example.org/a", "https://example.org/a"),
        ("hans@example.org", "hans@example.org"),
        ("|Hund|3|eine Katze |", "|[Hund]|3|[eine Katze] |"),
        ("```\nint x;\n```", "```\nint x;\n```"),
        ("你好。再见。", "[你好。] [再见。]"),
    ],
)
def test_sentences_alone_are_translated(text, wanted):
    def translate(sentence: str) -> str:
        return f"[{sentence}]" if "。" not in sentence else f"[{sentence}]."

    assert filled(text, translate).replace("].", "]") == wanted


def prose(draw: random.Random) -> str:
    words = ("Hund", "z. B.", "läuft", "3.", "Mai", "3.5", "er", "-", "(ja)", "„Na?“", "…", "|")
    ends = (". ", "! ", "?  ", " … ", ".“ ")
    parts = [
        " ".join(["Der", *draw.choices(words, k=draw.randint(1, 8))]) + draw.choice(ends)
        for _ in range(draw.randint(1, 4))
    ]
    return "".join(parts).strip()


def canonical(draw: random.Random) -> str:
    """A document in which every paragraph is one line."""

    def blocks() -> list[list[str]]:
        head = draw.choice(["", "", "> ", ">> ", " > > "])
        indented = head + " " * draw.choice([0, 0, 2, 4, 7])
        bullet = draw.choice(["- ", "* ", "+ ", "•  ", "– ", "- [x] "])  # noqa: RUF001
        number = draw.choice(["{}. ", "{}) ", "({}) ", "1.{}. "])
        return [
            [f"{head}{'#' * draw.randint(1, 6)} {prose(draw)}", f"{head}{prose(draw)}"],
            [f"{indented}{bullet}{prose(draw)}" for _ in range(3)],
            [f"{indented}{number.format(n)}{prose(draw)}" for n in range(1, 12)],
            ["```", *draw.choices(["x = 1;", "", "  - y", "> z"], k=3), "```"],
            [prose(draw), draw.choice(["-----", "====", "***", "_ _ _"])],
            [f"| {prose(draw)} |  {prose(draw)}|", "|---|:-:|", "| 3 ||"],
            [indented + prose(draw) + draw.choice(["", "  ", "\t"])],
        ]

    blank = ["", "", "\n", "   ", ">"]
    lines = [line for _ in range(6) for line in [*draw.choice(blocks()), draw.choice(blank)]]
    return "\n".join(lines)


def test_a_document_whose_paragraphs_are_lines_comes_back_byte_for_byte():
    draw = random.Random(0)
    for _ in range(150):
        text = canonical(draw)
        assert filled(text, chunk=draw.randint(1, 9)) == text


ATOMS = (
    *("Der Hund", "z. B.", "am", "3. ", "1. ", "a) ", "- ", "* ", "# ", "> ", ">", "|", "```"),
    *("\n", "\n", "\n", "\n\n", " ", "  ", "    ", "\t", "\r", "\x0b", "\u2028", "\u00a0", "."),
    *("? ", "“ ", "...", "…", "。", "---", "=", "😀", "שלום", "x-", "42", "www.a.de", "\\", "\x00"),
)


def without_spaces(text: str, *others: str) -> str:
    kept = "".join(text.split())
    for other in others:
        kept = kept.replace(other, "")
    return kept


def test_no_character_of_any_text_is_lost():
    draw = random.Random(0)
    for _ in range(1_500):
        text = "".join(draw.choices(ATOMS, k=draw.randint(0, 40)))
        found = filled(text, chunk=draw.randint(1, 9))
        # Lines that are joined have the quote marks of the first of them.
        assert without_spaces(found, ">") == without_spaces(text, ">")
        if ">" not in text:
            assert without_spaces(found) == without_spaces(text)


def test_how_many_lines_come_at_a_time_changes_nothing():
    draw = random.Random(2)
    for _ in range(150):
        text = "".join(draw.choices(ATOMS, k=60))
        assert len({filled(text, chunk=chunk) for chunk in (1, 2, 7, 1_000)}) == 1


def test_a_paragraph_is_given_out_as_soon_as_it_is_complete():
    found = [
        [paragraph.text for paragraph in group]
        for group in paragraphs([["eins"], ["zwei", "", "drei"], ["- vier"], ["vier"]])
    ]
    assert found == [[], ["eins zwei", ""], ["drei"], [], ["vier vier"]]


def test_a_paragraph_without_end_is_cut_so_that_memory_is_bounded():
    lines = (["Hund und Katze und Maus"] for _ in range(20_000))
    found = [paragraph for group in paragraphs(lines) for paragraph in group]
    assert len(found) > 3
    assert max(len(paragraph.text) for paragraph in found) < 110_000


def test_a_line_of_spaces_takes_no_longer_than_its_length():
    for text in (
        "x" + " " * 200_000 + "x",
        "|" + " " * 200_000 + "x",
        "- " * 50_000,
        "." * 100_000,
    ):
        assert without_spaces(filled(text)) == without_spaces(text)
