"""Frames with numbers: prices, ages, dates, clock times, weights, degrees."""

from demo_corpus import english, german, lexicon, numbers, particles, phrases
from demo_corpus.phrases import Pair
from demo_corpus.sampling import Draw

_PRICED = ("object", "garment", "furniture", "device", "vehicle", "instrument", "readable", "food")


_LIVING = german.Verb(
    "wohnen", "", "wohnst", "wohnt", "wohnte", "gewohnt", "haben", reflexive=False
)
_LARGE = frozenset({"vehicle", "furniture", "device", "instrument"})


def price(draw: Draw) -> Pair:
    """Der Mantel kostet 129,90 Euro."""
    noun = draw.noun(*_PRICED, counted=True)
    cents = _cents(draw, noun)
    many = draw.chance(0.3)
    sum_ = numbers.price(cents)
    if draw.chance(0.15):
        thing = draw.thing(noun, phrases.THE, plural=many)
        cost = Pair("kosten", "do") if many else Pair("kostet", "does")
        return Pair(
            f"wie viel {cost.german} {thing.cases['nom']}?",
            f"how much {cost.english} {thing.subject} cost?",
        )
    if many:
        count = numbers.cardinal(draw.number(2, 12))
        thing = phrases.noun_phrase(noun, phrases.THE, count=count)
        return Pair(
            f"{thing.cases['nom']} kosten zusammen {sum_.german}.",
            f"{thing.subject} cost {sum_.english} altogether.",
        )
    thing = draw.thing(noun, draw.one((phrases.THE, phrases.THIS, phrases.A)))
    if draw.chance(0.25):
        return Pair(
            f"{thing.cases['nom']} hat nur {sum_.german} gekostet.",
            f"{thing.subject} only cost {sum_.english}.",
        )
    return Pair(
        f"{thing.cases['nom']} kostet {sum_.german}.", f"{thing.subject} costs {sum_.english}."
    )


def _cents(draw: Draw, noun: lexicon.Noun) -> int:
    if noun.kinds & _LARGE:
        return 100 * draw.number(80, 9_000)
    highest = 900 if "food" in noun.kinds else 9_000
    return 5 * draw.number(10, highest // 5)


def age(draw: Draw) -> Pair:
    """Meine Großmutter ist einundachtzig Jahre alt."""
    who = draw.until(
        lambda: draw.somebody(plural=False), lambda found: found.person in ("1s", "3s")
    )
    years = numbers.cardinal(draw.number(2, 99))
    return Pair(
        f"{who.cases['nom']} {german.present(german.SEIN, who.person)} {years.german} Jahre alt.",
        f"{who.subject} {english.be('present', who.english_person)} {years.english} years old.",
    )


def birthday(draw: Draw) -> Pair:
    """Mein Onkel wurde am 12. März 1957 in Köln geboren."""
    who = draw.until(
        lambda: draw.somebody(plural=False), lambda found: found.person in ("1s", "3s")
    )
    date = numbers.day_of_month(draw.number(1, 28), draw.number(1, 12))
    year, city = draw.number(1_931, 2_003), draw.one(particles.CITIES)
    was = german.preterite(german.WERDEN, who.person)
    return Pair(
        f"{who.cases['nom']} {was} am {date.german} {year} in {city.german} geboren.",
        f"{who.subject} was born in {city.english} on {date.english} {year}.",
    )


def living(draw: Draw) -> Pair:
    """Meine Tante wohnt seit zehn Jahren in Wien."""
    who = draw.somebody()
    city = draw.one(particles.CITIES)
    lives = german.present(_LIVING, who.person)
    years = numbers.cardinal(draw.number(2, 60))
    have = english.have("present", who.english_person)
    return Pair(
        f"{who.cases['nom']} {lives} seit {years.german} Jahren in {city.german}.",
        f"{who.subject} {have} lived in {city.english} for {years.english} years.",
    )


def built(draw: Draw) -> Pair:
    """Die Kirche wurde 1893 gebaut."""
    noun = draw.noun("building")
    thing = draw.thing(noun, draw.one((phrases.THE, phrases.THIS)), described=0.4)
    year = draw.number(1_402, 2_025)
    said = draw.one((
        Pair("gebaut", "built"),
        Pair("eröffnet", "opened"),
        Pair("renoviert", "renovated"),
    ))
    return Pair(
        f"{thing.cases['nom']} wurde {year} {said.german}.",
        f"{thing.subject} was {said.english} in {year}.",
    )


def today(draw: Draw) -> Pair:
    """Heute ist Montag, der 3. Mai. Es ist halb neun."""
    if draw.chance(0.5):
        day = draw.one(numbers.DAYS)
        date = numbers.day_of_month(draw.number(1, 28), draw.number(1, 12))
        when, verb, said = draw.one((
            ("heute", "ist", "today is"),
            ("morgen", "ist", "tomorrow is"),
            ("gestern", "war", "yesterday was"),
        ))
        return Pair(
            f"{when} {verb} {day.german}, der {date.german}.",
            f"{said} {day.english}, {date.english}.",
        )
    hour, minute = draw.number(1, 12), 5 * draw.number(0, 11)
    clock = numbers.clock(hour, minute)
    begin = draw.one((
        Pair("es ist", "it is"),
        Pair("es ist schon", "it is already"),
        Pair("es ist erst", "it is only"),
    ))
    return Pair(f"{begin.german} {clock.german}.", f"{begin.english} {clock.english}.")


def appointment(draw: Draw) -> Pair:
    """Das Konzert beginnt am Freitag um halb acht und dauert zwei Stunden."""
    noun = draw.noun("event", "show", counted=True)
    thing = draw.thing(noun, draw.one((phrases.THE, phrases.THE, phrases.THIS)))
    clock = _time(draw)
    day = draw.days()
    verb = draw.one((Pair("beginnt", "begins"), Pair("endet", "ends")))
    if draw.chance(0.35):
        length = draw.one((
            (numbers.cardinal(draw.number(2, 9)), "Stunden", "hours"),
            (numbers.cardinal(5 * draw.number(2, 11)), "Minuten", "minutes"),
        ))
        count, units, english_units = length
        return Pair(
            f"{thing.cases['nom']} dauert {count.german} {units}.",
            f"{thing.subject} lasts {count.english} {english_units}.",
        )
    return Pair(
        f"{thing.cases['nom']} {verb.german} {day.german} um {clock.german}.",
        f"{thing.subject} {verb.english} at {clock.english} {day.english}.",
    )


def _time(draw: Draw) -> Pair:
    if draw.chance(0.6):
        return numbers.timetable(draw.number(6, 23), 5 * draw.number(0, 11))
    return numbers.clock(draw.number(1, 12), 5 * draw.number(0, 11))


def departure(draw: Draw) -> Pair:
    """Der Zug nach Köln fährt um 8.15 Uhr von Gleis 4 ab."""
    city = draw.one(particles.CITIES)
    clock = numbers.timetable(draw.number(5, 23), draw.number(0, 59))
    vehicle = draw.one((Pair("Zug", "train"), Pair("Bus", "bus")))
    draw.lemmas.append(vehicle.german)
    kind = draw.number(0, 2)
    if kind == 0:
        return Pair(
            f"der {vehicle.german} nach {city.german} fährt um {clock.german} ab.",
            f"the {vehicle.english} to {city.english} leaves at {clock.english}.",
        )
    if kind == 1:
        track = draw.number(1, 24)
        return Pair(
            f"der Zug nach {city.german} fährt um {clock.german} von Gleis {track} ab.",
            f"the train to {city.english} leaves from platform {track} at {clock.english}.",
        )
    late = 5 * draw.number(1, 11)
    return Pair(
        f"der {vehicle.german} aus {city.german} kommt heute {late} Minuten später an.",
        f"the {vehicle.english} from {city.english} is arriving {late} minutes late today.",
    )


def weather(draw: Draw) -> Pair:
    """Morgen werden es 23 Grad."""
    city = draw.one((*particles.CITIES, *particles.COUNTRIES))
    degrees = draw.number(-12, 36)
    said = draw.one((
        Pair(
            f"heute sind es in {city.german} {degrees} Grad.",
            f"it is {degrees} degrees in {city.english} today.",
        ),
        Pair(
            f"gestern waren es in {city.german} {degrees} Grad.",
            f"it was {degrees} degrees in {city.english} yesterday.",
        ),
        Pair(
            f"in {city.german} hat es gestern den ganzen Tag geregnet.",
            f"it rained all day in {city.english} yesterday.",
        ),
        Pair(
            f"morgen soll es in {city.german} schneien.",
            f"it is supposed to snow in {city.english} tomorrow.",
        ),
        Pair(
            f"wie ist das Wetter heute in {city.german}?",
            f"what is the weather like in {city.english} today?",
        ),
    ))
    return said


def ingredients(draw: Draw) -> Pair | None:
    """Für den Kuchen braucht man drei Eier und 200 Gramm Zucker."""
    dish = draw.noun("dish")
    counted = draw.noun("food", unlike=dish, counted=True)
    mass = draw.one([noun for noun in lexicon.nouns_of(("food",)) if not noun.counted])
    draw.lemmas.append(mass.german)
    if "dish" in counted.kinds or "dish" in mass.kinds:
        return None
    some = phrases.noun_phrase(counted, phrases.A, count=numbers.cardinal(draw.number(2, 9)))
    grams = 50 * draw.number(2, 15)
    for_ = phrases.noun_phrase(dish, phrases.THE)
    return Pair(
        f"für {for_.cases['acc']} braucht man {some.cases['acc']} und {grams} Gramm {mass.german}.",
        f"for {for_.object} you need {some.object} and {grams} grams of {mass.english}.",
    )


def rank(draw: Draw) -> Pair:
    """Das ist schon mein dritter Kaffee heute."""
    number = draw.number(1, 8)
    word = numbers.ordinal(number)
    noun = draw.noun("event", "vehicle", "readable", counted=True)
    article = german.determiner("mein", noun.gender, "nom")
    stem = german.adjective(word.german, "mein", noun.gender, "nom")
    when = draw.one((
        Pair("in diesem Jahr", "this year"),
        Pair("in diesem Monat", "this month"),
        Pair("in dieser Woche", "this week"),
    ))
    return Pair(
        f"das ist {when.german} schon {article} {stem} {noun.german}.",
        f"this is already my {word.english} {noun.english} {when.english}.",
    )
