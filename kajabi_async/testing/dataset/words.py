"""The word lists of the data set."""

from collections.abc import Sequence
from typing import Final

__all__ = ["CITIES", "FIRST_NAMES", "LAST_NAMES", "STREETS", "TAGS", "TOPICS", "accentless", "title_at"]

FIRST_NAMES: Final = (
    "Ada", "Amara", "Anton", "Beatriz", "Chidi", "Chloé", "Dmitri", "Elif", "Emeka", "Fatima", "Grace", "Hana",
    "Ingrid", "Jamal", "Jürgen", "Kofi", "Leila", "Lucía", "Mateo", "Mei", "Nia", "Noor", "Olga", "Priya",
    "Rahul", "Sofia", "Søren", "Tariq", "Valentina", "Wanjiru", "Yuki", "Zoë",
)  # fmt: skip

LAST_NAMES: Final = (
    "Abara", "Ahmed", "Andersson", "Bakshi", "Castillo", "Chen", "Dubois", "Eze", "Fischer", "García", "Haddad",
    "Ivanova", "Jensen", "Kaya", "Kowalski", "Lopez", "Mbeki", "Moreau", "Nakamura", "Novak", "O'Brien", "Okafor",
    "Park", "Petrov", "Rossi", "Sato", "Silva", "Smith", "Tanaka", "Tran", "Weber", "Žižek",
)  # fmt: skip

CITIES: Final = (
    ("Austin", "TX", "US", "73301"),
    ("Bergen", "Vestland", "NO", "5003"),
    ("Cape Town", "Western Cape", "ZA", "8001"),
    ("Lisbon", "Lisboa", "PT", "1100-148"),
    ("Osaka", "Osaka", "JP", "530-0001"),
    ("São Paulo", "SP", "BR", "01310-100"),
    ("Toronto", "ON", "CA", "M5H 2N2"),
)

STREETS: Final = ("Cedar Lane", "Harbour Road", "Market Street", "Mill Way", "Orchard Avenue", "Station Road")

TOPICS: Final = (
    "Sourdough", "Watercolour", "Calm Breathing", "Spanish", "Beekeeping", "Podcasting", "Marathon Training",
    "Investing", "Guitar", "Photography", "Gardening", "Public Speaking", "Meditation", "Pottery", "Songwriting",
    "Copywriting", "Data Analysis", "Knitting",
)  # fmt: skip

TAGS: Final = (
    "VIP", "Newsletter", "Webinar Attendee", "Lead Magnet", "Workshop 2023", "Refunded", "Beta Tester", "Affiliate",
    "Podcast Guest", "Waitlist", "Alumni", "Do Not Call", "Scholarship", "Referred", "Early Bird",
)  # fmt: skip

_PLAIN: Final = str.maketrans("éüíøëžãá", "euioezaa", "' ")


def title_at(number: int, words: Sequence[str]) -> str:
    """Return the *number*-th of *words*, which repeat, from the second round on with the number of the round."""
    round_number, index = divmod(number - 1, len(words))
    return f"{words[index]} {round_number + 1}" if round_number else words[index]


def accentless(name: str) -> str:
    """Return *name* as spelled in an email address."""
    return name.lower().translate(_PLAIN)
