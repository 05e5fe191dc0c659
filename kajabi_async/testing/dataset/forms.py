"""Forms with their fields and submissions."""

from collections.abc import Iterator
from typing import Any, Final

from kajabi_async.testing.dataset.family import Family, number_in, numbered
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.people import customer_identity
from kajabi_async.testing.dataset.times import DAY, instant, written
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
_PER_FORM: Final = 10


def forms(graph: Graph) -> Iterator[Family]:
    """Yield the families of forms."""
    sizes = graph.sizes
    yield numbered("forms", sizes["forms"], lambda number: _form(graph, number))
    yield Family("fields", 0, str, lambda field_id: _position_of_field(graph, field_id), _field)
    submissions = sizes["form_submissions"] if graph.contacts and sizes["forms"] else 0
    yield numbered("form_submissions", submissions, lambda number: _submission(graph, number))


def _field_count(graph: Graph, form: int) -> int:
    return 2 + graph.draw("fields", form).below(len(_FIELDS) - 1)


def _position_of_field(graph: Graph, field_id: str) -> int | None:
    number = number_in(field_id, _PER_FORM, graph.sizes["forms"] * _PER_FORM + _PER_FORM)
    form, index = divmod(number or 0, _PER_FORM)
    is_known = 1 <= form <= graph.sizes["forms"] and index < _field_count(graph, form)
    return number if is_known else None


def _field(number: int) -> Row:
    shape = _FIELDS[number % _PER_FORM]
    times = {name: written(instant(number), number) for name in ("created_at", "updated_at")}
    options = _SEASONS if shape["type"] == "SelectBoxField" else None
    return Row("fields", str(number), {**shape, "select_options": options, **times})


def _form(graph: Graph, number: int) -> Row:
    draw, created = graph.draw("form", number), instant(number)
    round_number, word = divmod(number - 1, len(_TITLES))
    is_default = number <= graph.sizes["sites"]
    attributes = {
        "title": f"{_TITLES[word]} {round_number + 1}" if round_number else _TITLES[word],
        "default": is_default,
        # The schema says object, the prose says URL; null fits both.
        "webhook_url": None,
        "url": f"https://site{graph.site_of(number)}.example.com/forms/{number}",
        "created_at": None if is_default else written(created, number),
        "updated_at": None if is_default else written(created + DAY, number),
    }
    tags = graph.of_site(tuple(range(1, graph.sizes["contact_tags"] + 1)), number)
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(number)),
        "fields": LinkToMany("fields", tuple(f"{number}{field}" for field in range(_field_count(graph, number)))),
        "contact_tags": LinkToMany("contact_tags", tuple(str(tag) for tag in draw.some(tags, draw.below(3)))),
    }
    if graph.sizes["offers"]:
        offers = graph.of_site(tuple(range(1, graph.sizes["offers"] + 1)), number)
        relations["offer"] = LinkToOne("offers", str(draw.pick(offers)))
    return Row("forms", str(number), attributes, relations)


def _submission(graph: Graph, number: int) -> Row:
    draw = graph.draw("submission", number)
    contact = draw.below(graph.contacts) + 1
    form = draw.pick(graph.of_site(tuple(range(1, graph.sizes["forms"] + 1)), contact))
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
