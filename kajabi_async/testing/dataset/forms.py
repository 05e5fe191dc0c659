"""Forms with their fields and submissions."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from kajabi_async.testing.dataset.family import PER_PARENT, Family, numbered, part_number
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.people import customer_identity
from kajabi_async.testing.dataset.times import DAY, instant, times_of, written
from kajabi_async.testing.dataset.words import title_at
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row

__all__ = ["SUBMISSION_ATTRIBUTES", "forms"]

SUBMISSION_ATTRIBUTES: Final = (
    "name", "email", "phone_number", "business_number", "mobile_phone_number", "address_line_1", "address_line_2",
    "address_city", "address_state", "address_country", "address_zip", "custom_1", "custom_2", "custom_3",
)  # fmt: skip

_TITLES: Final = ("Contact Form", "Newsletter Signup", "Webinar Registration", "Waitlist", "Feedback", "Scholarship")
_FIELDS: Final[tuple[dict[str, Any], ...]] = (
    {"title": "Name", "type": "TextField", "handle": "name", "required": True, "editable": False},
    {"title": "Email", "type": "EmailField", "handle": "email", "required": True, "editable": False},
    {
        "title": "Mobile",
        "type": "MobilePhoneField",
        "handle": "mobile_phone_number",
        "required": False,
        "editable": False,
    },
    {"title": "Favourite Season", "type": "SelectBoxField", "handle": "custom_1", "required": False, "editable": True},
)
_SEASONS: Final = "Spring\nSummer\nAutumn\nWinter"


def forms(graph: Graph) -> Iterator[Family]:
    """Yield the families of forms."""
    sizes = graph.sizes
    yield numbered("forms", sizes.forms, lambda number: _form(graph, number))
    field_count = partial(_field_count, graph)
    yield Family("fields", 0, str, lambda field_id: part_number(field_id, sizes.forms, field_count), _field)
    submissions = sizes.form_submissions if graph.contacts and sizes.forms else 0
    yield numbered("form_submissions", submissions, lambda number: _submission(graph, number))


def _field_count(graph: Graph, form: int) -> int:
    return 2 + graph.draw("fields", form).below(len(_FIELDS) - 1)


def _field(number: int) -> Row:
    shape = _FIELDS[number % PER_PARENT]
    options = _SEASONS if shape["type"] == "SelectBoxField" else None
    return Row("fields", str(number), {**shape, "select_options": options, **times_of(number, 0)})


def _form(graph: Graph, number: int) -> Row:
    draw, created = graph.draw("form", number), instant(number)
    is_default = number <= graph.sizes.sites
    attributes = {
        "title": title_at(number, _TITLES),
        "default": is_default,
        # The schema says object, the prose says URL; null fits both.
        "webhook_url": None,
        "url": f"https://site{graph.site_of(number)}.example.com/forms/{number}",
        "created_at": None if is_default else written(created, number),
        "updated_at": None if is_default else written(created + DAY, number),
    }
    tags = graph.of_site(range(1, graph.sizes.contact_tags + 1), number)
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(number)),
        "fields": LinkToMany("fields", tuple(f"{number}{field}" for field in range(_field_count(graph, number)))),
        "contact_tags": LinkToMany("contact_tags", tuple(str(tag) for tag in draw.some(tags, draw.below(3)))),
    }
    if graph.sizes.offers:
        offers = graph.of_site(range(1, graph.sizes.offers + 1), number)
        relations["offer"] = LinkToOne("offers", str(draw.pick(offers)))
    return Row("forms", str(number), attributes, relations)


def _submission(graph: Graph, number: int) -> Row:
    draw = graph.draw("submission", number)
    contact = draw.below(graph.contacts) + 1
    form = draw.pick(graph.of_site(range(1, graph.sizes.forms + 1), contact))
    attributes = dict.fromkeys(SUBMISSION_ATTRIBUTES) | customer_identity(graph, contact)
    attributes["custom_1"] = draw.pick((None, "Spring", "Winter"))
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(form)),
        "form": LinkToOne("forms", str(form)),
    }
    hidden = {
        "created_at": written(instant(graph.contacts) + number * DAY // 10, number),
        "contact_id": graph.contact_id(contact),
    }
    return Row("form_submissions", str(number), attributes, relations, hidden)
