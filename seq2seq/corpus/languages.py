"""Which language a line is in, by its most frequent little words; nothing where that is unclear."""

import re

_WORDS = {
    "de": "der die und das ist nicht ein eine zu den mit sich auf für dem auch es an ich sie wir "
    "er wird sind bei oder einen einer werden des im von wenn als aus kann haben hat nach wie",
    "en": "the and of to is in that it you for on are with as this be was have not or by from an "
    "at which can will he his they we your if there has been would their she her when what",
    "fr": "le la les et des est un une dans que pour qui sur pas avec ce il par au sont plus ne "
    "du se vous nous elle mais ou cette être été aux leur ont c'est",
    "es": "el la los las y de que en un una es por con para no se del al lo como su más pero sus "
    "está son fue este esta ser ha muy cuando también",
    "it": "il la di che e un una per non in è con del le si da dei i sono della al più come gli "
    "anche nel alla ma lo ha questo questa se era delle",
    "pt": "o a os as e de que em um uma é por com para não se do da no na ao mais como dos das "
    "seu sua mas foi ser tem são está ele ela você",
    "nl": "de het een en van is niet dat op te in zijn voor met die er aan ook wordt hij ik maar "
    "om als bij heeft naar uit door wat worden deze kan",
    "sv": "och att det som en är på för med av den inte till ett om har de jag var men kan så vi "
    "från eller han hon du ska",
    "pl": "w i na z się nie do jest to że o jak po za od przez co ale są tak dla był może tego "
    "tym być jego czy lub",
}
KNOWN = frozenset(_WORDS)
_LANGUAGES = tuple(_WORDS)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def _table() -> dict[str, list[int]]:
    table: dict[str, list[int]] = {}
    for number, words in enumerate(_WORDS.values()):
        for word in words.split():
            if len(word) > 1:  # "a" is a word in half of Europe
                table.setdefault(word, []).append(number)
    return table


_TABLE = _table()
_LITTLE_WORDS = frozenset(_TABLE)


def language_of(line: str) -> str:
    """A code such as "de", or "" where no language has three different little words, or two do."""
    votes = [0] * len(_LANGUAGES)
    for word in _LITTLE_WORDS.intersection(_WORD.findall(line.lower())):
        for number in _TABLE[word]:
            votes[number] += 1
    most = max(votes)
    if most < 3 or sum(2 * count > most for count in votes) > 1:
        return ""
    return _LANGUAGES[votes.index(most)]


def primary(code: str) -> str:
    """The language of a code with a region or script: "pt" of "pt-BR"."""
    return re.split(r"[-_]", code.lower(), maxsplit=1)[0]
