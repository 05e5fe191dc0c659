"""Podcasts, blog posts, landing pages and website pages."""

from collections.abc import Iterator
from typing import Final

from kajabi_async.testing.dataset.family import Family, numbered
from kajabi_async.testing.dataset.graph import Graph
from kajabi_async.testing.dataset.times import DAY, instant, times_of, written
from kajabi_async.testing.dataset.words import TOPICS
from kajabi_async.testing.rows import LinkToOne, Row

__all__ = ["content"]

_PAGE_TITLES: Final = ("Home", "About", "Contact", "Blog", "Terms", "Privacy", "Thank You", "Store")


def content(graph: Graph) -> Iterator[Family]:
    """Yield the families of published content."""
    sizes = graph.sizes
    yield numbered("podcasts", sizes.podcasts, lambda number: _podcast(graph, number))
    yield numbered("blog_posts", sizes.blog_posts, lambda number: _blog_post(graph, number))
    yield numbered("landing_pages", sizes.landing_pages, lambda number: _landing_page(graph, number))
    yield numbered("website_pages", sizes.website_pages, lambda number: _website_page(graph, number))


def _topic(number: int) -> str:
    return TOPICS[(number - 1) % len(TOPICS)]


def _host(graph: Graph, number: int) -> str:
    return f"https://site{graph.site_of(number)}.example.com"


def _podcast(graph: Graph, number: int) -> Row:
    draw, host = graph.draw("podcast", number), _host(graph, number)
    status, is_migrated = draw.pick(("ready", "ready", "importing", "failed")), draw.one_in(4)
    directory = {"id": "apple", "url": f"https://podcasts.example.org/{number}", "config": {"title": "Apple Podcasts"}}
    attributes = {
        "title": f"The {_topic(number)} Hour",
        "description": f"Weekly talks about {_topic(number)}.",
        "language": draw.pick(("en", "es", "pt")),
        "owner_email": "owner@example.com",
        "author": draw.pick(("Robin Owner", None)),
        "status": status,
        "show_type": draw.pick(("episodic", "serial")),
        "thumbnail_url": f"https://images.example.com/podcasts/{number}.png" if draw.below(2) else None,
        "cover_art_url": f"https://images.example.com/podcasts/{number}-cover.png" if draw.below(2) else None,
        "categories": list(draw.some(("Education", "Arts", "Business", "Health"), draw.below(3))),
        "directories": [directory] if draw.below(2) else [],
        "migrated_to_url": f"https://feeds.example.org/{number}" if is_migrated else None,
        "migrated": is_migrated,
        "public": draw.below(3) > 0,
        "ready": status == "ready",
        "distribution_ready": status == "ready" and draw.one_in(2),
        "url": f"{host}/podcasts/{number}",
        **times_of(number, 3 * DAY),
    }
    return Row("podcasts", str(number), attributes, {"site": LinkToOne("sites", graph.site_of(number))})


def _blog_post(graph: Graph, number: int) -> Row:
    draw, topic = graph.draw("blog post", number), _topic(number)
    slug = f"{topic.lower().replace(' ', '-')}-{number}"
    has_image = draw.one_in(2)
    attributes = {
        "title": f"Announcing {topic}" if draw.one_in(3) else f"{topic} in ten minutes",
        "url": f"{_host(graph, number)}/blog/{slug}",
        "content": f"<p>Some words about {topic}.</p>",
        "slug": slug,
        "page_title": f"{topic} | Blog",
        "page_description": f"A post about {topic}.",
        "published_at": written(instant(number) + DAY, number) if draw.below(4) else None,
        "image_url": f"https://images.example.com/posts/{number}.png" if has_image else None,
        "image_alt_text": topic if has_image else None,
        "tags": list(draw.some(("news", "tips", "stories"), draw.below(3))),
        **times_of(number, 3 * DAY),
    }
    site = graph.site_of(number)
    return Row("blog_posts", str(number), attributes, {"blog": LinkToOne("blogs", site)}, {"site_id": site})


def _landing_page(graph: Graph, number: int) -> Row:
    draw = graph.draw("landing page", number)
    attributes = {
        "title": f"{_topic(number)} Landing",
        "url": f"{_host(graph, number)}/landing/{number}",
        "publish_at": written(instant(number) + DAY, number) if draw.below(3) else None,
        **times_of(number, 3 * DAY),
    }
    return Row("landing_pages", str(number), attributes, {"site": LinkToOne("sites", graph.site_of(number))})


def _website_page(graph: Graph, number: int) -> Row:
    title = _PAGE_TITLES[(number - 1) % len(_PAGE_TITLES)]
    has_url = graph.draw("website page", number).below(5) > 0
    attributes = {
        "title": title,
        "url": f"{_host(graph, number)}/{title.lower().replace(' ', '-')}" if has_url else None,
        **times_of(number, 3 * DAY),
    }
    return Row("website_pages", str(number), attributes, {"site": LinkToOne("sites", graph.site_of(number))})
