"""What was typed, before it is parsed."""

import pytest

from kajabi_async.cli.descriptions import named
from kajabi_async.cli.usage import (
    asks_for_help,
    misuse,
    refuse_secrets,
    take_profile,
    unknown_command,
    wants_json,
    without_help,
)
from kajabi_async.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("typed", "profile", "rest"),
    [
        ("whoami", None, "whoami"),
        ("--profile shop whoami --json", "shop", "whoami --json"),
        ("whoami --profile=shop --json", "shop", "whoami --json"),
        ("whoami --profile=a=b", "a=b", "whoami"),
        ("whoami --profile a --profile b", "b", "whoami"),
        ("contact-notes create 1 -- --profile x", None, "contact-notes create 1 -- --profile x"),
        ("--profile a create -- --profile= --", "a", "create -- --profile= --"),
    ],
)
def test_the_profile_is_taken_out_wherever_it_stands(typed: str, profile: str | None, rest: str) -> None:
    """Except after ``--``; the last of several counts."""
    assert take_profile(typed.split()) == (profile, rest.split())


@pytest.mark.parametrize("typed", ["whoami --profile", "--profile=", "--profile --json", "--profile=-x", "--profile -"])
def test_a_profile_without_a_name_is_refused(typed: str) -> None:
    """Nor is an option taken for one."""
    with pytest.raises(InvalidArgumentError, match=r"^--profile needs the name that `kajabi login"):
        take_profile(typed.split())


@pytest.mark.parametrize(
    ("typed", "rest"),
    [
        ("help", ""),
        ("help customers get", "customers get"),
        ("help customers help", "customers help"),
        ("customers help", "customers"),
        ("customers help get", "customers get"),
        ("customers get --help 1", "customers get 1"),
        ("whoami -h --json", "whoami --json"),
        ("", None),
        ("customers", None),
        ("customers get help", None),
        ("whoami help", None),
        ("nothing help", None),
        ("contact-notes create 1 -- --help -h", None),
    ],
)
def test_a_page_is_requested_by_a_word_or_an_option(typed: str, rest: str | None) -> None:
    """By ``help`` in front or after a group, and by an option before ``--``; anything else may be an argument."""
    tokens = typed.split()
    assert asks_for_help(tokens) is (rest is not None)
    if rest is not None:
        assert without_help(tokens) == rest.split()


def test_words_end_at_the_first_option() -> None:
    """And options at ``--``."""
    assert named(["customers", "list", "--limit", "5"])[0] == ["customers", "list"]
    assert (named(["customers"])[0], named(["customers", "-x", "list"])[0]) == (["customers"], ["customers"])
    assert (wants_json(["--", "--json"]), wants_json(["a", "--json", "--"])) == (False, True)


def test_a_sentence_is_one_line_that_ends_once() -> None:
    """With a full stop, unless it ends already."""
    said = [str(misuse(text, [])).removesuffix(" See `kajabi --help`") for text in ("a\n  b", "a.", "a?", "a ")]
    assert said == ["a b.", "a.", "a?", "a."]


def test_an_error_names_the_page_to_read() -> None:
    """That of the command, or the list of them all."""
    assert str(misuse("Wrong.", ["customers", "get"])) == "Wrong. See `kajabi customers get --help`"
    assert str(misuse("Wrong.", [])) == "Wrong. See `kajabi --help`"
    error = unknown_command("lst", ["list", "lists", "get"], ["customers"])
    assert str(error) == 'Unknown command "lst". Did you mean "list"? See `kajabi customers --help`'


@pytest.mark.parametrize(
    "typed", ["--site-id 5 --json", "--json --site-id=5", "--stdin --site-id", "--site-id 5 --keyring"]
)
def test_login_takes_the_id_of_a_site(typed: str) -> None:
    """And its own flags."""
    refuse_secrets(["login", *typed.split()])


@pytest.mark.parametrize(
    "typed", ["5", "--stdin 5", "--site-id abc", "abc --site-id 5", "--site-id=abc", "--site-id=5=6", "--site-id 5 6"]
)
def test_login_takes_nothing_else(typed: str) -> None:
    """It may be a secret."""
    with pytest.raises(InvalidArgumentError, match=r"^secrets are never taken from arguments"):
        refuse_secrets(["login", *typed.split()])
