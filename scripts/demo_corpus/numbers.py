"""Numbers, prices, clock times and dates in both languages. Pure functions of numbers."""

from demo_corpus.phrases import Pair

_GERMAN = """
    null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn
    fünfzehn sechzehn siebzehn achtzehn neunzehn
    zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig
"""
_ENGLISH = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen
    twenty thirty forty fifty sixty seventy eighty ninety
"""
_MONTHS = """
    Januar/January Februar/February März/March April/April Mai/May Juni/June Juli/July
    August/August September/September Oktober/October November/November Dezember/December
"""
_DAYS = """
    Montag/Monday Dienstag/Tuesday Mittwoch/Wednesday Donnerstag/Thursday Freitag/Friday
    Samstag/Saturday Sonntag/Sunday
"""
_WORDS = _GERMAN.split()
_ENGLISH_WORDS = _ENGLISH.split()
_TEENS = 20  # the numbers below are words of their own, the tens follow
MONTHS, DAYS = (
    tuple(Pair(*names.split("/")) for names in table.split()) for table in (_MONTHS, _DAYS)
)
_ORDINALS = {
    1: "erst first",
    2: "zweit second",
    3: "dritt third",
    4: "viert fourth",
    5: "fünft fifth",
    6: "sechst sixth",
    7: "siebt seventh",
    8: "acht eighth",
}


def cardinal(number: int) -> Pair:
    """In words, from 2 to 99."""
    return Pair(_german_words(number), _english_words(number))


def _german_words(number: int) -> str:
    if number < _TEENS:
        return _WORDS[number]
    tens, ones = divmod(number, 10)
    return (f"{_WORDS[ones]}und" if ones else "") + _WORDS[_TEENS + tens - 2]


def _english_words(number: int) -> str:
    if number < _TEENS:
        return _ENGLISH_WORDS[number]
    tens, ones = divmod(number, 10)
    return _ENGLISH_WORDS[_TEENS + tens - 2] + (f"-{_ENGLISH_WORDS[ones]}" if ones else "")


def ordinal(number: int) -> Pair:
    """The stem of the German adjective, up to eight: dritt, third."""
    return Pair(*_ORDINALS[number].split())


def grouped(number: int) -> Pair:
    """In figures: 12.500 and 12,500."""
    english = f"{number:,}"
    return Pair(english.replace(",", "."), english)


def price(cents: int) -> Pair:
    """12,50 Euro and 12.50 euros."""
    euros, rest = divmod(cents, 100)
    whole = grouped(euros)
    if not rest:
        return Pair(f"{whole.german} Euro", f"{whole.english} euro{'' if euros == 1 else 's'}")
    return Pair(f"{whole.german},{rest:02} Euro", f"{whole.english}.{rest:02} euros")


def timetable(hour: int, minute: int) -> Pair:
    """As a timetable has it: 8.05 Uhr and 8:05."""
    if minute:
        return Pair(f"{hour}.{minute:02} Uhr", f"{hour}:{minute:02}")
    return Pair(f"{hour} Uhr", f"{hour}:00")


def clock(hour: int, minute: int) -> Pair:
    """As one says it, to five minutes, from one to twelve: halb neun is half past eight."""
    following = hour % 12 + 1
    now, then = (("eins" if which == 1 else _WORDS[which]) for which in (hour, following))
    said, next_said = _ENGLISH_WORDS[hour], _ENGLISH_WORDS[following]
    return {
        0: Pair(f"{_WORDS[hour]} Uhr", f"{said} o'clock"),
        5: Pair(f"fünf nach {now}", f"five past {said}"),
        10: Pair(f"zehn nach {now}", f"ten past {said}"),
        15: Pair(f"Viertel nach {now}", f"quarter past {said}"),
        20: Pair(f"zwanzig nach {now}", f"twenty past {said}"),
        25: Pair(f"fünf vor halb {then}", f"twenty-five past {said}"),
        30: Pair(f"halb {then}", f"half past {said}"),
        35: Pair(f"fünf nach halb {then}", f"twenty-five to {next_said}"),
        40: Pair(f"zwanzig vor {then}", f"twenty to {next_said}"),
        45: Pair(f"Viertel vor {then}", f"quarter to {next_said}"),
        50: Pair(f"zehn vor {then}", f"ten to {next_said}"),
        55: Pair(f"fünf vor {then}", f"five to {next_said}"),
    }[minute]


def day_of_month(day: int, month: int) -> Pair:
    """3. Mai and 3 May."""
    name = MONTHS[month - 1]
    return Pair(f"{day}. {name.german}", f"{day} {name.english}")
