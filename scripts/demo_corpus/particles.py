"""The words that are not inflected: adverbs, conjunctions, and the names of people and cities.

A line of a table is German/English; the tense that an adverb goes with is its table's.
"""

from demo_corpus.phrases import Adverbial, Name, Pair


def _pairs(text: str) -> tuple[Pair, ...]:
    return tuple(Pair(*line.strip().split("/")) for line in text.strip().splitlines())


_TIMES = {
    "now": """
        jetzt/now
        heute/today
        im Moment/at the moment
        gerade/right now
        zurzeit/at present
    """,
    "habit": """
        jeden Tag/every day
        jeden Morgen/every morning
        jeden Abend/every evening
        jede Woche/every week
        jeden Monat/every month
        jedes Jahr/every year
        abends/in the evenings
        morgens/in the mornings
        nachmittags/in the afternoons
        am Wochenende/at the weekend
        sonntags/on Sundays
        montags/on Mondays
        freitags/on Fridays
        im Sommer/in summer
        im Winter/in winter
        im Herbst/in autumn
        einmal in der Woche/once a week
        zweimal im Monat/twice a month
    """,
    "soon": """
        morgen/tomorrow
        morgen früh/tomorrow morning
        morgen Abend/tomorrow evening
        übermorgen/the day after tomorrow
        heute Abend/tonight
        nächste Woche/next week
        nächsten Monat/next month
        nächstes Jahr/next year
        nächsten Sommer/next summer
        nächsten Freitag/next Friday
        bald/soon
        später/later
        in einer Stunde/in an hour
        in drei Tagen/in three days
        in zwei Wochen/in two weeks
    """,
    "past": """
        gestern/yesterday
        gestern Abend/yesterday evening
        vorgestern/the day before yesterday
        heute Morgen/this morning
        letzte Woche/last week
        letzten Monat/last month
        letztes Jahr/last year
        letzten Sommer/last summer
        letzten Winter/last winter
        letzten Sonntag/last Sunday
        vor einer Stunde/an hour ago
        vor zwei Tagen/two days ago
        vor drei Wochen/three weeks ago
        vor vielen Jahren/many years ago
        vor kurzem/recently
        damals/at that time
        am Montag/on Monday
        am Dienstag/on Tuesday
        am Mittwoch/on Wednesday
        am Donnerstag/on Thursday
        am Freitag/on Friday
        am Samstag/on Saturday
        am Sonntag/on Sunday
        im Januar/in January
        im Mai/in May
        im August/in August
        im November/in November
    """,
    "since": """
        seit einer Stunde/for an hour
        seit zwei Stunden/for two hours
        seit drei Tagen/for three days
        seit einer Woche/for a week
        seit vier Monaten/for four months
        seit zehn Jahren/for ten years
        seit langem/for a long time
        seit gestern/since yesterday
        seit Montag/since Monday
    """,
}
TIMES = {
    tense: tuple(Adverbial(*pair, "time", tense) for pair in _pairs(text))
    for tense, text in _TIMES.items()
}
TIMES["told"] = TIMES["past"]
TIMES["future"] = TIMES["soon"]
FREQUENCIES = tuple(
    Adverbial(*pair, "frequency", "habit")
    for pair in _pairs("""
        oft/often
        immer/always
        manchmal/sometimes
        selten/rarely
        nie/never
        meistens/usually
    """)
)
EXPERIENCES = tuple(
    Adverbial(*pair, "frequency", "experience")
    for pair in _pairs("""
        schon/already
        noch nie/never
        gerade erst/just
    """)
)
COMMENTS = tuple(
    Adverbial(*pair, "comment")
    for pair in _pairs("""
        leider/unfortunately
        zum Glück/luckily
        vielleicht/perhaps
        wahrscheinlich/probably
        natürlich/of course
        endlich/at last
    """)
)
MANNERS = tuple(
    Adverbial(*pair, "manner")
    for pair in _pairs("""
        langsam/slowly
        schnell/quickly
        vorsichtig/carefully
        heimlich/secretly
        in Ruhe/in peace
        ohne Hilfe/without help
        mit großer Freude/with great pleasure
        ganz allein/all alone
        zum ersten Mal/for the first time
        noch einmal/once more
    """)
)
# How people are, for a time or always: what may be said of anyone after weil and obwohl.
MOODS = _pairs("""
    müde/tired
    krank/ill
    hungrig/hungry
    durstig/thirsty
    glücklich/happy
    traurig/sad
    nervös/nervous
    wütend/angry
    neugierig/curious
    allein/alone
    zufrieden/satisfied
    erkältet/down with a cold
    gut gelaunt/in a good mood
    in Eile/in a hurry
    zu spät/late
    überrascht/surprised
    enttäuscht/disappointed
""")
NAMES = tuple(
    Name(name, gender)
    for gender, names in (
        (
            "f",
            "Anna Lena Maria Julia Clara Sophie Emma Laura Hanna Eva Nina Petra Greta Martha Ida",
        ),
        ("m", "Paul Jonas Max Felix Lukas Tim Karl Peter Martin Thomas Simon Oskar Emil Jan Anton"),
    )
    for name in names.split()
)
_SURNAMES = """
    Müller Schneider Weber Wagner Becker Hoffmann Schäfer Koch Richter Klein Wolf Schröder
    Neumann Braun Zimmermann Krüger Hartmann Lange Krause Lehmann
"""
SURNAMES = tuple(_SURNAMES.split())
CITIES = _pairs("""
    Berlin/Berlin
    Hamburg/Hamburg
    München/Munich
    Köln/Cologne
    Leipzig/Leipzig
    Dresden/Dresden
    Bremen/Bremen
    Hannover/Hanover
    Nürnberg/Nuremberg
    Stuttgart/Stuttgart
    Wien/Vienna
    Salzburg/Salzburg
    Zürich/Zurich
    Basel/Basel
    Genf/Geneva
    Paris/Paris
    London/London
    Rom/Rome
    Venedig/Venice
    Mailand/Milan
    Prag/Prague
    Warschau/Warsaw
    Krakau/Krakow
    Kopenhagen/Copenhagen
    Brüssel/Brussels
    Lissabon/Lisbon
    Athen/Athens
    Moskau/Moscow
    Madrid/Madrid
    Florenz/Florence
""")
COUNTRIES = _pairs("""
    Deutschland/Germany
    Österreich/Austria
    Frankreich/France
    Italien/Italy
    Spanien/Spain
    Portugal/Portugal
    Polen/Poland
    Griechenland/Greece
    Dänemark/Denmark
    Schweden/Sweden
    Norwegen/Norway
    England/England
    Schottland/Scotland
    Irland/Ireland
    Ungarn/Hungary
    Japan/Japan
    Kanada/Canada
    Ägypten/Egypt
""")
