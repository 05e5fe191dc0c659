"""Resources as people see them: a short repr, and a table in a notebook."""

import re

import pytest

from kajabi_async import Contact, ContactNote, Customer, Form, Hook, Resource
from kajabi_async.models.resource import MODELS, attribute_names
from tests.models.building import build

SECRET = "wh-canary-secret"


def test_the_repr_distinguishes() -> None:
    """The id and two attributes or three; `to_dict` has the rest."""
    attributes = {"name": "Ada", "email": "a@b.c", "net_revenue": "12.5", "avatar": "https://example.com/a.png"}
    assert repr(build(Customer, attributes)) == "Customer(id='1', name='Ada', email='a@b.c')"


@pytest.mark.parametrize("cls", MODELS.values(), ids=lambda cls: cls.__name__)
def test_every_resource_declares_what_distinguishes_it(cls: type[Resource]) -> None:
    """At most three attributes that exist; none holds a secret."""
    if not cls.__module__.startswith("kajabi_async."):
        pytest.skip("declared by a test")
    assert cls.distinguished_by is not None
    assert 1 <= len(cls.distinguished_by) <= 3
    assert set(cls.distinguished_by) <= attribute_names(cls).keys() - {"id"} - cls.secret_urls
    assert cls.secret_urls <= attribute_names(cls).keys()


def test_a_long_value_is_cut_and_control_characters_are_escaped() -> None:
    """One line of a bounded length."""
    shown = repr(build(ContactNote, {"body": "a\x1b[2J\u202e\n" + "b" * 10_000}))
    assert shown.isprintable()
    assert len(shown) < 150


def test_a_notebook_shows_what_is_loaded() -> None:
    """As a table of the members of `to_dict`."""
    shown = build(Customer, {"name": "Ada", "socials": {"twitter": "ada"}})._repr_html_()
    assert re.findall(r"<th[^>]*>(.*?)</th>", shown) == ["id", "name", "socials"]
    assert "Ada" in shown
    assert "NOTHING" not in shown
    assert "email" not in shown


def test_a_notebook_runs_nothing_that_others_wrote() -> None:
    """Markup is shown, and so are characters that act on text, in values and in the names of unknown members."""
    hostile = "<script>alert(1)</script>\"'&\u202e\x1b\u200b"
    attributes = {"name": hostile, hostile: hostile, "custom_1": hostile, "extra_object": {hostile: [hostile]}}
    shown = build(Contact, attributes)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert shown.isprintable()
    assert set(re.findall(r"<(/?\w+)", shown)) <= {
        f"{slash}{tag}" for slash in ("", "/") for tag in ("table", "caption", "tbody", "tr", "th", "td")
    }


def test_a_notebook_shows_no_secret_of_a_url() -> None:
    """A webhook address may hold one in its path."""
    url = f"https://user:{SECRET}@example.com/hooks/{SECRET}?key={SECRET}"
    for resource in (build(Hook, {"target_url": url}), build(Form, {"webhook_url": url})):
        assert "https://example.com/..." in resource._repr_html_()
        assert SECRET not in resource._repr_html_() + repr(resource)
    for odd in ({"secret": SECRET}, [SECRET], f"//[{SECRET}", SECRET):
        assert SECRET not in build(Form, {"webhook_url": odd})._repr_html_()


def test_the_text_of_a_long_attribute_is_cut() -> None:
    """A notebook shows a table, not a page."""
    assert len(build(ContactNote, {"body": "b" * 100_000})._repr_html_()) < 2000
