"""Contacts and customers, tags, notes and custom fields."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, Final

from kajabi_async.testing.dataset.family import Family, Parts, numbered
from kajabi_async.testing.dataset.graph import CONTACT_IDS_FROM, Draw, Graph
from kajabi_async.testing.dataset.times import DAY, instant, written
from kajabi_async.testing.dataset.words import CITIES, FIRST_NAMES, LAST_NAMES, STREETS, TAGS, accentless, title_at
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row

__all__ = ["attributes_of_new_customer", "contact_number", "customer_identity", "numbers_with", "people"]

_CUSTOM_FIELDS: Final = (
    ("Favourite Season", "SelectBoxField"),
    ("How Did You Find Us", "TextField"),
    ("Birthday", "TextField"),
    ("Shirt Size", "RadioButtonsField"),
    ("Allergies", "TextAreaField"),
)
_NOTES: Final = (
    "Called about the invoice.",
    "Asked for a certificate of completion.",
    "Prefers to be written to in the evening.\nTime zone: Lisbon.",
    "Met at the spring workshop.",
)
_DOMAIN: Final = "example.com"
_INVERTIBLE: Final = f"@{_DOMAIN}"
_KEPT: Final = 16
"""The number of identities in the cache: a filter reads the name and the email of a person one after the other."""
_LAST_PART: Final = re.compile(r"(?:(?P<exact>.*\.)?(?P<digits>[0-9]+))?", re.DOTALL)


def people(graph: Graph) -> Iterator[Family]:
    """Yield the families of people."""
    sizes = graph.sizes
    customer, contact = partial(_customer, graph), partial(_contact, graph)
    yield numbered("customers", sizes.customers, customer, parts=_customer_parts(graph))
    yield numbered("contacts", graph.contacts, contact, first=CONTACT_IDS_FROM + 1, parts=_contact_parts(graph))
    yield numbered("contact_tags", sizes.contact_tags, lambda number: _tag(graph, number))
    notes = sizes.contact_notes if graph.contacts else 0
    yield numbered("contact_notes", notes, lambda number: _note(graph, number))
    yield numbered("custom_fields", sizes.custom_fields, lambda number: _custom_field(graph, number))


def _person_parts(graph: Graph) -> dict[str, Callable[[int], Any]]:
    identity = lru_cache(maxsize=_KEPT)(partial(customer_identity, graph))
    return {
        "name": lambda number: identity(number)["name"],
        "email": lambda number: identity(number)["email"],
        "created_at": lambda number: written(instant(number), number),
        "site_id": graph.site_of,
    }


def _customer_parts(graph: Graph) -> Parts:
    return Parts(
        _person_parts(graph), {"contact": lambda number: (graph.contact_id(number),), "offers": graph.offers_of}
    )


def _contact_parts(graph: Graph) -> Parts:
    customers = graph.sizes.customers
    return Parts(
        {**_person_parts(graph), "subscribed": lambda number: _is_subscribed(_identity(graph, number)[0])},
        {
            "customer": lambda number: (str(number),) if number <= customers else (),
            "offers": lambda number: graph.offers_of(number) if number <= customers else (),
            "tags": graph.tags_of,
        },
    )


def _is_subscribed(draw: Draw) -> bool:
    """Return whether the person whose name was drawn last is subscribed."""
    return draw.below(3) > 0


def contact_number(email: str) -> int | None:
    """Return the number of the contact that may have *email* by the seed; the caller compares the whole address."""
    number = email.removesuffix(_INVERTIBLE).rpartition(".")[2]
    return (
        int(number) if number.isascii() and number.isdecimal() and len(number) <= len(str(CONTACT_IDS_FROM)) else None
    )


def numbers_with(text: str, count: int) -> range:
    """Return the numbers of the first *count* people whose email may contain *text*, which is in lower case.

    An email ends in the number and the domain, so that most texts with an ``@`` leave one number or none.
    """
    local, at, domain = text.partition("@")
    if not at:
        return range(1, count + 1)
    found = _LAST_PART.fullmatch(local)
    if found is None or not _DOMAIN.startswith(domain):
        return range(0)
    digits = found["digits"] or ""
    if found["exact"] is not None:
        number = int(digits) if len(digits) <= len(str(count)) and digits[0] != "0" else 0
        return range(number, number + 1) if 1 <= number <= count else range(0)
    step = 10 ** len(digits)
    # More digits than any number has.
    return range(int(digits or "0") or step, count + 1, step) if len(digits) <= len(str(count)) else range(0)


def _identity(graph: Graph, number: int) -> tuple[Draw, dict[str, Any]]:
    draw = graph.draw("person", number)
    first, last = draw.pick(FIRST_NAMES), draw.pick(LAST_NAMES)
    email = f"{accentless(first)}.{accentless(last)}.{number}{_INVERTIBLE}"
    return draw, {"name": f"{first} {last}", "email": email}


def customer_identity(graph: Graph, number: int) -> dict[str, Any]:
    """Return the name and the email of the *number*-th person."""
    return _identity(graph, number)[1]


def _times(draw: Draw, number: int) -> dict[str, Any]:
    created = instant(number)
    updated = created + draw.below(300 * DAY)
    return {"created_at": written(created, number), "updated_at": written(updated, number + 1)}


def _external_user_id(graph: Graph, number: int) -> str | None:
    is_customer = number <= graph.sizes.customers
    return f"ext-{number:06}" if is_customer and graph.draw("external", number).one_in(4) else None


def _customer(graph: Graph, number: int) -> Row:
    draw, identity = _identity(graph, number)
    offers = graph.offers_of(number)
    products = dict.fromkeys(str(product) for offer in offers for product in graph.products_of_offer(int(offer)))
    attributes = {**identity, **_profile(graph, draw, number), **_times(draw, number)}
    relations: dict[str, Linkage] = {
        "contact": LinkToOne("contacts", graph.contact_id(number)),
        "site": LinkToOne("sites", graph.site_of(number)),
        "offers": LinkToMany("offers", offers),
        "products": LinkToMany("products", tuple(products)),
    }
    return Row("customers", str(number), attributes, relations)


def _profile(graph: Graph, draw: Draw, number: int) -> dict[str, Any]:
    handle = f"member{number}"
    socials = {
        "twitter": f"https://x.example/{handle}",
        "facebook": None,
        "instagram": f"https://insta.example/{handle}",
    }
    seen = written(instant(number) + draw.below(600 * DAY), number)
    return {
        "avatar": f"https://images.example.com/avatars/{number}.png" if draw.one_in(3) else None,
        "external_user_id": _external_user_id(graph, number),
        "public_bio": "Learning something new every week." if draw.one_in(4) else None,
        "public_location": draw.pick(CITIES)[0] if draw.one_in(4) else None,
        "public_website": f"https://{handle}.example.com" if draw.one_in(6) else None,
        "socials": socials if draw.one_in(5) else None,
        "net_revenue": None if draw.one_in(50) else str(graph.net_revenue(number) / 100),
        "sign_in_count": None if draw.one_in(20) else draw.below(200),
        "last_request_at": seen if draw.below(4) else None,
        "bounced_at": seen if draw.one_in(25) else None,
    }


def attributes_of_new_customer(identity: dict[str, Any], time: str) -> dict[str, Any]:
    """Return the attributes of a customer who did nothing yet; *identity* is the name and the email."""
    unknown = (
        "avatar", "external_user_id", "public_bio", "public_location", "public_website", "socials",
        "last_request_at", "bounced_at",
    )  # fmt: skip
    counted = {"net_revenue": "0.0", "sign_in_count": 0}
    return {**identity, **dict.fromkeys(unknown), **counted, "created_at": time, "updated_at": time}


def _contact(graph: Graph, contact_id: int) -> Row:
    number = contact_id - CONTACT_IDS_FROM
    draw, identity = _identity(graph, number)
    is_customer = number <= graph.sizes.customers
    subscribed = _is_subscribed(draw)
    attributes = {**identity, **_address(draw, number), "subscribed": subscribed}
    attributes |= {"external_user_id": _external_user_id(graph, number), **_times(draw, number)}
    offers = graph.offers_of(number) if is_customer else ()
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(number)),
        "customer": LinkToOne("customers", str(number) if is_customer else None),
        "offers": LinkToMany("offers", offers),
        "tags": LinkToMany("contact_tags", graph.tags_of(number)),
    }
    mobile = f"+1555019{number % 10_000:04}" if draw.one_in(4) else None
    hidden = {"mobile_phone_number": mobile, "never_subscribed": not subscribed and draw.one_in(2)}
    return Row("contacts", str(contact_id), attributes, relations, hidden)


def _address(draw: Draw, number: int) -> dict[str, Any]:
    city, state, country, zip_code = draw.pick(CITIES) if draw.below(3) else (None, None, None, None)
    is_placed = city is not None
    return {
        "phone_number": f"+1555010{number % 10_000:04}" if draw.below(2) else None,
        "business_number": f"+1555018{number % 10_000:04}" if draw.one_in(6) else None,
        "address_line_1": f"{1 + draw.below(200)} {draw.pick(STREETS)}" if is_placed else None,
        "address_line_2": f"Flat {1 + draw.below(9)}" if is_placed and draw.one_in(4) else None,
        "address_city": city,
        "address_state": state,
        "address_country": country,
        "address_zip": zip_code,
        "custom_1": draw.pick(("Spring", "Summer", "Autumn", "Winter")) if draw.below(2) else None,
        "custom_2": draw.pick(("A friend", "Podcast", "Search")) if draw.one_in(3) else None,
        "custom_3": None,
    }


def _tag(graph: Graph, number: int) -> Row:
    site = LinkToOne("sites", graph.site_of(number))
    return Row("contact_tags", str(number), {"name": title_at(number, TAGS)}, {"site": site})


def _note(graph: Graph, number: int) -> Row:
    draw = graph.draw("note", number)
    contact = draw.below(graph.contacts) + 1
    created = instant(graph.contacts) + number * DAY // 4
    edited = created + (DAY if draw.one_in(3) else 0)
    times = {"created_at": written(created, number), "updated_at": written(edited, number)}
    relations: dict[str, Linkage] = {"contact": LinkToOne("contacts", graph.contact_id(contact))}
    hidden = {"site_id": graph.site_of(contact)}
    return Row("contact_notes", str(number), {"body": draw.pick(_NOTES), **times}, relations, hidden)


def _custom_field(graph: Graph, number: int) -> Row:
    attributes = {
        "title": title_at(number, [title for title, _ in _CUSTOM_FIELDS]),
        "handle": f"custom_{number}",
        "type": _CUSTOM_FIELDS[(number - 1) % len(_CUSTOM_FIELDS)][1],
        "required": number % 4 == 0,
        "archived": False,
    }
    return Row("custom_fields", str(number), attributes, {"site": LinkToOne("sites", graph.site_of(number))})
