"""Finds what a translation has to bring through letter by letter: addresses, numbers, tags.

Knows no model. Patterns begin at the edge of a word and are bounded, so that a line of any
length is read once.
"""

import functools
import re
from itertools import islice
from typing import NamedTuple, TypeAlias

from seq2seq.corpus.languages import primary
from seq2seq.corpus.text import normalise

_TAIL = r"(?<=[\w/=&#%+~)$-])"  # where an address ends: the full stop behind it is the sentence's
_FILES = (
    "txt|md|pdf|docx?|xlsx?|pptx?|odt|ods|csv|tsv|json|jsonl|xml|html?|css|js|ts|py|sh|c|h|cpp|java"
    "|toml|ya?ml|ini|cfg|conf|log|zip|gz|xz|tar|7z|png|jpe?g|gif|svg|mp[34]|wav|exe|dll|tex|sql"
)
_DOMAINS = "com|org|net|edu|gov|info|io|eu|de|at|ch|uk|fr|it|es|nl|pl|se|dk"
_WORD_CHARACTER = r"[\w.+@~%-]"

_PATTERNS = {
    # Taken as a whole: what stands in code is no language.
    "code": r"<(?P<element>code|pre|kbd|samp|var|script|style)\b[^<>]{0,500}>[^\ufffd]{0,500}?"
    r"</(?P=element)>|`[^`\ufffd]{1,200}`",
    "tag": r"<!--[^\ufffd]{0,500}?-->|<[!?][^<>\ufffd]{1,500}>|</[A-Za-z][\w:.-]{0,60}\s?>"
    r"|<[A-Za-z][\w:.-]{0,60}"
    r"(?:\s[\w:@.-]{1,60}\s?=\s?(?:\"[^\"<>\ufffd]{0,500}\"|'[^'<>\ufffd]{0,500}'"
    r"|[^\s\"'<>\ufffd]{1,500}))*\s?/?>",
    "entity": r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});",
    "address": r"(?<!\w)(?:(?:https?|ftps?|sftp|file|git|ssh)://|www\.|mailto:)"
    r"(?:[^\s<>()\"'`\ufffd]|\([^\s<>()\ufffd]{0,99}\)){1,2000}" + _TAIL,
    "mail": r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+",
    "path": rf"(?<!\w)(?:[A-Za-z]:|\\)\\(?:{_WORD_CHARACTER}|\\){{1,500}}(?<=[\w\\])"
    rf"|(?<![\w/.<])(?:(?:~|\.\.?)/{_WORD_CHARACTER}{{1,99}}"
    rf"|/{_WORD_CHARACTER}{{1,99}}/{_WORD_CHARACTER}{{1,99}})(?:/{_WORD_CHARACTER}{{1,99}})*/?"
    r"(?<=[\w/])",
    "name": r"(?<![\w./-])(?:[\w-]{1,63}/){0,20}[\w-]{1,63}(?:\.[\w-]{1,63}){0,9}"
    rf"\.(?:{_FILES}|{_DOMAINS})(?:/[\w./?=&%+-]{{0,500}}(?<=[\w/]))?(?![\w-])",
    "handle": r"(?<![\w@.])@\w{2,40}|(?<![\w\#&])\#[^\W\d]\w{1,60}",
    "blank": r"\{\{[^{}\ufffd]{1,80}\}\}|\$\{[^{}\ufffd]{1,80}\}|\{\w{0,40}\}"
    r"|(?<![\w%])%(?:[0-9]\$)?[sdif](?!\w)|(?<![\w%])%\(\w{1,40}\)[sd](?!\w)",
    "identifier": r"(?<!\w)[A-Z]{2}[0-9]{2}(?:\ [0-9A-Z]{4}){3,7}(?:\ [0-9A-Z]{1,4})?(?!\w)"
    r"|(?<!\w)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w)"
    r"|(?<![\w-])(?=[A-Z_/-]{0,40}[0-9])(?=[0-9_/-]{0,40}[A-Z])"
    r"(?:[A-Z0-9]{1,40}(?:[-_/][A-Z0-9]{1,40}){1,20}|[A-Z0-9]{5,80})(?![\w-])"
    r"|(?<!\w)(?=[a-f]{0,40}[0-9])(?=[0-9]{0,40}[a-f])[0-9a-f]{7,64}(?!\w)"
    r"|(?<!\w)v[0-9]{1,5}(?:\.[0-9]{1,5}){1,5}(?!\w)"
    r"|(?<![\w-])--[a-z][\w-]{1,40}|(?<!\w)[A-Za-z][A-Za-z0-9]{0,60}_\w{1,60}(?:\(\))?",
    "telephone": r"(?<![\w.,+-])(?:\+[0-9]{1,4}|0[0-9]{1,6})(?:[ /-][0-9]{2,12}){1,8}(?!\w)"
    r"|(?<![\w.,])[0-9]{4}(?:\ [0-9]{4}){2,7}(?!\w)",
    "number": r"(?<![\w.,])[0-9]{1,60}(?:[.,:/'’-][0-9]{1,60}){0,20}(?!\w)",  # noqa: RUF001
}
_SUSPICIOUS = re.compile(r"[0-9@<&\\/{%`#_]|--|\w[.:]\w")

_MOST = 200  # literals of a line: a line with more is no text
_LARGEST_FREE = 12  # as people do, a model may write numbers up to here in words
_COMMA = frozenset({
    *(
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "da",
        "nb",
        "fi",
        "pl",
        "cs",
        "sk",
        "sl",
        "hr",
        "sr",
    ),
    *("hu", "ro", "bg", "ru", "uk", "el", "tr", "id"),
})
_POINT = frozenset({"en", "zh", "ja", "ko", "th", "he", "hi"})
_GROUPED = {
    ",": re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]+,[0-9]+"),
    ".": re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+"),
}
_TIME = re.compile(r"([01]?[0-9]|2[0-3])[.:]([0-5][0-9])")
_SWAPPED = str.maketrans(".,", ",.")

Form: TypeAlias = tuple[str, str]
"""What may come out of the model for a literal, and what is written then."""


class Literal(NamedTuple):
    """A stretch of the source that must survive."""

    shown: str  # as the model sees it at first; "": never
    forms: tuple[Form, ...]  # the best first

    @property
    def written(self) -> str:
        """How the translation has it."""
        return self.forms[0][1]


class Tag(NamedTuple):
    """Markup around or between words."""

    text: str


Item: TypeAlias = str | Literal | Tag


def decimal_mark(language: str) -> str:
    """What stands before the decimals; nothing where we do not know."""
    language = primary(language)
    return "," if language in _COMMA else "." if language in _POINT else ""


def scan(text: str, marks: tuple[str, str]) -> list[Item]:
    """The line in stretches; without literals it is one.

    `marks` are the decimal marks of both languages: where they differ, numbers that have marks
    are written as the target language does. The same mark twice keeps all numbers as they are.
    """
    if not _SUSPICIOUS.search(text):
        return [text]
    text = normalise(re.sub(_PATTERNS["entity"], _spelled_out, text))
    items: list[Item] = []
    start = 0
    for match in islice(_literal().finditer(text), _MOST):
        item = _item(match, marks)
        if item is not None:
            items += [text[start : match.start()], item]
            start = match.end()
    return [item for item in (*items, text[start:]) if item]


@functools.cache  # late: it takes as long as to translate a word
def _literal() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{each})" for name, each in _PATTERNS.items()))


def _character(entity: str) -> str:
    import html  # late: most lines have none

    return html.unescape(entity)


def _spelled_out(match: re.Match[str]) -> str:
    """Letters and spaces that are written as entities: without them a word is none."""
    character = _character(match[0])
    if character.isspace():
        return " "
    return character if character.isalpha() else match[0]


def _item(match: re.Match[str], marks: tuple[str, str]) -> Item | None:
    found = match[0]
    match match.lastgroup:
        case "tag":
            return Tag(found)
        case "entity":
            character = _character(found)
            return Literal(character, ((character, found),)) if character.isprintable() else None
        case "number":
            forms = _number(found, marks)
            return Literal(found, forms) if forms else None
        case _:
            return Literal("", ((found, found),))


def _number(found: str, marks: tuple[str, str]) -> tuple[Form, ...]:
    here, there = marks
    if found.isdecimal():
        value = int(found)
        if len(found) <= 2 and value <= _LARGEST_FREE:
            return ()
        grouped = f"{value:,}" if there == "." else f"{value:,}".translate(_SWAPPED)
        others = [grouped] if len(found) > 4 and found[0] != "0" else []
        others += [str(value - 12)] if _LARGEST_FREE < value <= 24 else []  # an hour
        return _same(found, *others)
    if here and there and _GROUPED[here].fullmatch(found):
        wanted = found if here == there else found.translate(_SWAPPED)
        return ((wanted, wanted), (found, wanted), (found.translate(_SWAPPED), wanted))
    if time := _TIME.fullmatch(found):
        hour, minute = time.groups()
        hours = {hour, str(int(hour)), str((int(hour) + 11) % 12 + 1)}
        return _same(found, *sorted(f"{each}{mark}{minute}" for each in hours for mark in ":."))
    return _same(found)


def _same(*forms: str) -> tuple[Form, ...]:
    return tuple((form, form) for form in dict.fromkeys(forms))
