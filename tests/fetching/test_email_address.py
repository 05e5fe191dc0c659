"""Emails as the API stores them, what is none, and the texts that find all their spellings."""

import unicodedata
from enum import StrEnum
from typing import Any

import pytest

from kajabi_async import InvalidEmailError
from kajabi_async.fetching.email_address import checked_email, email_key, search_texts

COMPOSED, DECOMPOSED = "jos\u00e9@example.com", "jose\u0301@example.com"


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada@EXAMPLE.com\r\n", "ada@example.com"),
        ("\u00a0ADA@example.com\u2003", "ada@example.com"),
        ("Ada+News@example.com", "ada+news@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        (DECOMPOSED.upper(), COMPOSED),
        (COMPOSED, COMPOSED),
        ("STRASSE@example.com", "strasse@example.com"),
        ("stra\u00dfe@example.com", "stra\u00dfe@example.com"),
        ("\u03a3\u038a\u03a3@example.gr", "\u03c3\u03af\u03c3@example.gr"),
    ],
)
def test_spellings_of_one_email_have_one_key(spelling: str, key: str) -> None:
    """In lower case, stripped and composed; plus-tags, dots and the sharp s make other emails."""
    assert email_key(spelling) == key
    assert email_key(key) == key
    assert checked_email(spelling) == key


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "it has no @"),
        ("ada", "it has no @"),
        ("@example.com", "it has nothing before the @"),
        ("ada@", "it has nothing after the @"),
        ("ada@.", "it has nothing after the @"),
        ("a b@example.com", "it has white space or control characters in it"),
        ("a\x00b@example.com", "it has white space or control characters in it"),
        ("\ud800@example.com", "it has white space or control characters in it"),
        ("Ada <ada@example.com>", "it has white space or control characters in it"),
        ("<ada@example.com>", "it has angle brackets, which are not part of it"),
        ("ada<@example.com", "it has angle brackets, which are not part of it"),
        ("ada>@example.com", "it has angle brackets, which are not part of it"),
        ("ada@bob@example.com", "it has more than one @"),
        ('"ada@bob@example.com', "it has more than one @"),
        ('ada@bob"@example.com', "it has more than one @"),
        ("a" * 309 + "@example.com", "it is longer than 320 characters"),
        ("a" * 320 + "@example.com", "it is longer than 320 characters"),
    ],
)
def test_what_is_no_email_says_why(value: str, problem: str) -> None:
    """A name and brackets around it are not removed: that would be a guess."""
    with pytest.raises(InvalidEmailError, match="is no email address: ") as caught:
        checked_email(value)
    assert str(caught.value).endswith(problem)


@pytest.mark.parametrize("value", [None, 7, b"ada@example.com", ["ada@example.com"]])
def test_what_is_no_text_is_no_email(value: Any) -> None:
    """With its type in the error."""
    with pytest.raises(InvalidEmailError, match=f"email.*{type(value).__name__}"):
        checked_email(value)


def test_a_long_text_that_is_no_email_is_shown_in_part() -> None:
    """Its first sixty characters."""
    with pytest.raises(InvalidEmailError) as caught:
        checked_email("x" * 100)
    assert str(caught.value) == f"{'x' * 60!r} is no email address: it has no @"


@pytest.mark.parametrize(
    "email",
    [
        "'@example.com",
        '"a@b"@example.com',
        "o'neil,jr@example.com",
        "a@localhost",
        "x" * 308 + "@example.com",
        "\u00fc" * 308 + "@example.com",
        "\u7528\u6237@\u4f8b\u5b50.\u4e2d\u56fd",
    ],
)
def test_unusual_emails_are_emails(email: str) -> None:
    """The server decides; what is refused here could never be one."""
    assert checked_email(email) == email


def test_an_enumeration_of_texts_is_its_text() -> None:
    """Not the name of its member."""

    class Person(StrEnum):
        ADA = "Ada@example.com"

    assert checked_email(Person.ADA) == "ada@example.com"


def test_an_email_is_searched_for_in_each_form_that_the_server_may_have_stored() -> None:
    """One text is enough for ASCII; what has two forms in Unicode is searched for in both."""
    assert search_texts("ada@example.com") == ("ada@example.com",)
    assert search_texts("stra\u00dfe@example.com") == ("stra\u00dfe@example.com",)
    assert search_texts(COMPOSED) == (COMPOSED, DECOMPOSED)


def test_a_comma_splits_the_text_as_the_server_does() -> None:
    """The longest part finds the same and more."""
    assert search_texts("o,neil,jr@example.com") == ("jr@example.com",)
    assert search_texts("jos\u00e9phine,x@a.b") == ("jos\u00e9phine", unicodedata.normalize("NFD", "jos\u00e9phine"))
