"""Where sentences end, in running text. Knows no model, and no grammar.

A cut that is missed only makes a long sentence; a wrong one tears two halves apart. So in doubt
there is none: a full stop after a number, a letter or an abbreviation ends a sentence only before
a word that opens one. The words are German and English; others are told by form alone.
"""

import re
from collections.abc import Iterator

_MARKS = ".!?…؟۔।。！？"  # noqa: RUF001
_CLOSING = "\"'”’»«›‹)]“‘」』）"  # noqa: RUF001
_OPENING = "\"'„‚“‘”»«›‹([¿¡"  # noqa: RUF001
_END = re.compile(
    rf"(?P<mark>[.!?…؟۔।]+)[{re.escape(_CLOSING)}]*\s+"  # noqa: RUF001
    rf"|[。！？][{re.escape(_CLOSING)}]*\s*"  # noqa: RUF001
)
_WORDS_BEFORE = re.compile(rf"[^\s{re.escape(_OPENING)}]+\s?[^\s{re.escape(_OPENING)}]*$")
_WORD_AFTER = re.compile(rf"[{re.escape(_OPENING)}]*(\w+)")
_LONGEST_WORDS = 40  # characters of what can be an abbreviation, and more


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# They stand before something, so their full stop never ends a sentence.
_LEADING = _words("""
abb abs anm bd bspw betr bzgl bzw ca dipl dr evtl fa fig fr frl geb gem ggf hg hr hrn hrsg ing
inkl insb jh kap lt mio mrd nat nr phil prof resp rd rer sog st tel tsd unt urspr vgl wg zb zit
zzgl capt cf dept esp gov jr mr mrs ms mt pp sgt sr vs z.b d.h i.e e.g u.u z.t i.d.r o.g u.z s.u
s.o d.i i.a n.chr v.chr z.hd
""")
# These may stand at the end, too, or are words in their own right.
_TRAILING = _words("""
etc usw usf ff f ag co corp gmbh inc ltd bros approx no art max min med red rep col est gen str
std vol op abt tab rev sen
""")
_OPENERS = _words("""
aber alle als also am an auch auf aus bei beim bis da dabei dadurch daher damit danach dann daran
darauf darin darum das dass dazu dein dem den denn der deren des deshalb dessen dich die dies
diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer er es etwa euer
für gegen hat heute hier ich ihm ihn ihnen ihr ihre im immer in ist ja jede jeder jedes jedoch
jetzt kein keine man manche mein meine mit nach nachdem nein nicht noch nun nur ob obwohl oder
ohne schon sehr sein seine seit sich sie sind so sobald solche sondern sonst trotzdem um und uns
unser unter viele vom von vor wann warum was weil wenn wer werden wie wir wird wo zu zum zur zwar
zwischen über a about after all also although and are as at because before but by did do does
during each even every finally for from had has have he her here his how however i if in is it its
just many my no not now of on once one or our she since so some still such that the their then
there these they this those though thus to under until was we were what when where which while who
why with yes yet you your
""")


def sentences(text: str) -> Iterator[tuple[str, str]]:
    """Each sentence with the white space after it; put together they are the text."""
    start = 0
    for match in _END.finditer(text):
        if match.end() < len(text) and _is_end(text, match):
            body = text[start : match.end()].rstrip()
            yield body, text[start + len(body) : match.end()]
            start = match.end()
    if start < len(text):
        body = text[start:].rstrip()
        yield body, text[start + len(body) :]


def ends_sentence(text: str) -> bool:
    """Whether what comes after this could be a new sentence."""
    return text.rstrip(_CLOSING).endswith((":", *_MARKS))


def _is_end(text: str, match: re.Match[str]) -> bool:
    if not match["mark"]:
        return True  # scripts that write no spaces have full stops of their own
    after = _WORD_AFTER.match(text, match.end())
    following = after[1] if after else text[match.end()]
    if following[0].islower() or following[0] in ",;:)":
        return False
    if match["mark"] != ".":
        return True
    before = _WORDS_BEFORE.search(text, max(match.start() - _LONGEST_WORDS, 0), match.start())
    kind = _kind(before[0]) if before else "word"
    return kind == "word" or (kind == "doubtful" and following.lower() in _OPENERS)


def _kind(before: str) -> str:
    """What a full stop after these one or two words is: is it of the word or of the sentence?"""
    *_, word = before.split()
    both = re.sub(r"\s", "", before).lower()
    if word.lower() in _LEADING or both in _LEADING:
        return "leading"
    if word.lower() in _TRAILING:
        return "doubtful"
    # A letter (initials, "z. B."), letters between full stops, an ordinal, a king's number.
    if re.fullmatch(r"\w|(?:\w{1,2}\.)+\w{1,2}|\d{1,2}|[\d.]+\.\d{1,2}|[IVXL]{2,}", word):
        return "doubtful"
    return "word"
