"""Offers, products, and courses with their contents."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from kajabi_async.testing.dataset.family import PER_PARENT, Family, numbered, part_number
from kajabi_async.testing.dataset.graph import Graph, Kind
from kajabi_async.testing.dataset.times import instant, written
from kajabi_async.testing.dataset.words import TOPICS, title_at
from kajabi_async.testing.rows import Linkage, LinkToMany, LinkToOne, Row

__all__ = ["catalog", "offer_title"]

_PRODUCT_KINDS: Final = (
    ("Course", "Courses::EvergreenCourse"),
    ("Coaching", "Coaching::Program"),
    ("Podcast", "Podcasts::Podcast"),
    ("Community", "Communities::Community"),
    ("Course", "Courses::CohortCourse"),
)
_PAYMENT_METHODS: Final = ("stripe", "paypal", "kajabi_payments", "stripe_and_paypal", "")
_LESSON_OPTIONS: Final = ("published", "published", "drip", "locked", "draft")


def catalog(graph: Graph) -> Iterator[Family]:
    """Yield the families of the catalog."""
    sizes = graph.sizes
    yield numbered("offers", sizes.offers, lambda number: _offer(graph, number))
    yield numbered("products", sizes.products, lambda number: _product(graph, number))
    yield numbered("courses", sizes.courses, lambda number: _course(graph, number))
    yield from _course_contents(graph)


def _title(number: int) -> str:
    return title_at(number, TOPICS)


def offer_title(number: int) -> str:
    """Return the title of an offer."""
    return f"{_title(number)} Bundle"


def _offer(graph: Graph, number: int) -> Row:
    draw, title = graph.draw("offer", number), _title(number)
    token = f"{draw.below(16**8):08x}"
    attributes: dict[str, Any] = {
        "title": offer_title(number),
        "description": f"Everything there is to know about {title}." if draw.below(4) else None,
        "internal_title": f"{title.lower().replace(' ', '_')}_bundle" if draw.below(3) else None,
        "currency": "USD",
        **_pricing(graph.kind_of(number), graph.price_of(number)),
        "token": token,
        "payment_method": draw.pick(_PAYMENT_METHODS),
        "checkout_url": f"https://site{graph.site_of(number)}.example.com/offers/{token}",
        "image_url": f"https://images.example.com/offers/{number}.png" if draw.below(2) else None,
    }
    products = tuple(str(product) for product in graph.products_of_offer(number))
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(number)),
        "products": LinkToMany("products", products),
    }
    return Row("offers", str(number), attributes, relations, {"is_gift": number % 7 == 0})


def _pricing(kind: Kind, price: int) -> dict[str, Any]:
    is_recurring = kind in {"subscription", "multipay"}
    amount = f"${price // 100}.{price % 100:02} USD"
    per = {"subscription": f"{amount} per month", "multipay": f"3 payments of {amount}", "free": "Free"}
    return {
        "price_in_cents": price,
        "payment_type": kind,
        "price_description": per.get(kind, amount),
        "recurring_offer": is_recurring,
        "subscription": kind == "subscription",
        "one_time": not is_recurring,
        "single": kind == "single",
        "free": kind == "free",
    }


def _product(graph: Graph, number: int) -> Row:
    draw = graph.draw("product", number)
    kind_name, class_name = _PRODUCT_KINDS[0 if number <= graph.sizes.courses else (number - 1) % len(_PRODUCT_KINDS)]
    attributes = {
        "created_at": written(instant(number), number),
        "title": f"{_title(number)} {kind_name}",
        "description": f"A {kind_name.lower()} about {_title(number)}." if draw.below(5) else None,
        "status": "ready" if draw.below(8) else "duplicating",
        "members_aggregate_count": draw.below(5000),
        "product_type_name": kind_name,
        "product_type_id": number,
        "publish_status": "published" if draw.below(4) else "draft",
        "thumbnail_url": f"https://images.example.com/products/{number}.png" if draw.below(2) else None,
        "url": f"https://site{graph.site_of(number)}.example.com/products/{number}" if draw.below(4) else None,
    }
    hidden = {"productizable_type": class_name}
    return Row("products", str(number), attributes, {"site": LinkToOne("sites", graph.site_of(number))}, hidden)


def _course(graph: Graph, number: int) -> Row:
    draw = graph.draw("course", number)
    attributes = {
        "created_at": written(instant(number), number),
        "title": f"{_title(number)} Course",
        "description": f"Learn {_title(number)} step by step." if draw.below(5) else None,
        "thumbnail_url": f"https://images.example.com/courses/{number}.png" if draw.below(2) else None,
    }
    offers = range(1, graph.sizes.offers + 1)
    modules = [f"{number}{module}" for module in range(_module_count(graph, number))]
    lessons = [f"{module}{lesson}" for module in modules for lesson in range(_lesson_count(graph, int(module)))]
    relations: dict[str, Linkage] = {
        "site": LinkToOne("sites", graph.site_of(number)),
        "offers": LinkToMany(
            "offers", tuple(str(offer) for offer in offers if number in graph.products_of_offer(offer))
        ),
        "modules": LinkToMany("modules", tuple(modules)),
        "lessons": LinkToMany("lessons", tuple(lessons)),
    }
    return Row("courses", str(number), attributes, relations, {"publish_status": draw.pick(("published", "draft"))})


def _module_count(graph: Graph, course: int) -> int:
    return 1 + graph.draw("modules", course).below(4)


def _lesson_count(graph: Graph, module: int) -> int:
    return graph.draw("lessons", module).below(5)


def _course_contents(graph: Graph) -> Iterator[Family]:
    """Yield the families that have no endpoint and are only included; they cannot be listed."""

    def position_of_module(module_id: str) -> int | None:
        return part_number(module_id, graph.sizes.courses, partial(_module_count, graph))

    def position_of_lesson(lesson_id: str) -> int | None:
        module = position_of_module(lesson_id[:-1]) if lesson_id.isascii() and lesson_id.isdecimal() else None
        if module is None or int(lesson_id[-1]) >= _lesson_count(graph, module):
            return None
        return int(lesson_id)

    yield Family("modules", 0, str, position_of_module, lambda number: _module(graph, number))
    yield Family("lessons", 0, str, position_of_lesson, lambda number: _lesson(graph, number))
    yield Family("media", 0, str, position_of_lesson, lambda number: _media(graph, number))


def _module(graph: Graph, number: int) -> Row:
    draw, index = graph.draw("module", number), number % PER_PARENT
    attributes = {
        "title": f"Week {index + 1}",
        "description": f"What week {index + 1} is about." if draw.below(2) else None,
        # The schema says string, the prose starts at 1; integers from 0 were observed.
        "position": index,
        "poster_image_url": f"https://images.example.com/modules/{number}.png" if draw.one_in(3) else None,
        "publishing_option": draw.pick(("published", "published", "draft")),
    }
    lessons = tuple(f"{number}{lesson}" for lesson in range(_lesson_count(graph, number)))
    return Row("modules", str(number), attributes, {"lessons": LinkToMany("lessons", lessons)})


def _lesson(graph: Graph, number: int) -> Row:
    draw, index = graph.draw("lesson", number), number % PER_PARENT
    attributes = {
        "title": f"Lesson {index + 1}",
        "position": index,
        "status": draw.pick(("ready", "ready", "ready", "duplicating", "failed")),
        "publishing_option": draw.pick(_LESSON_OPTIONS),
    }
    media = (str(number),) if draw.below(4) else ()
    return Row("lessons", str(number), attributes, {"media": LinkToMany("media", media)})


def _media(graph: Graph, number: int) -> Row:
    minutes = 1 + graph.draw("media", number).below(9000) / 100
    return Row("media", str(number), {"duration_in_minutes": round(minutes, 2)})
