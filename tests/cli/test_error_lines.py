"""Errors of the SDK name options and commands, and no arguments or methods of Python."""

import json

import pytest

from kajabi_async.cli.error_lines import message_of, print_error
from kajabi_async.cli.front import ExitCode
from kajabi_async.errors import InvalidArgumentError, UnprocessableEntityError


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("page_size must be a whole number", "--page-size must be a whole number"),
        ("use site_id=, sort= or max_wait=.", "use --site-id, --sort or --max-wait."),
        ("filter[has_tag_id] takes an id; filter[search] text", "--has-tag-id takes an id; --search text"),
        ("payouts.list needs a site", "payouts list needs a site"),
        ("contact_notes.find_many has no sort", "contact-notes find-many has no sort"),
        (
            "payouts.list needs site_id=, here or on the client (KAJABI_SITE_ID)",
            "payouts list needs --site-id or KAJABI_SITE_ID",
        ),
        ("/v1/offers?site_id=5 and --a-b= and a.b needs none", "/v1/offers?site_id=5 and --a-b= and a.b needs none"),
    ],
)
def test_arguments_filters_and_methods_are_named_as_they_are_typed(text: str, own: str) -> None:
    """In every place of the text; a link and an option stay as they are."""
    assert message_of(InvalidArgumentError(text)) == own


def test_the_message_of_an_error_is_one_line() -> None:
    """In words of the command, but for an answer of the API, which may be about the arguments of another."""
    assert message_of(InvalidArgumentError("site_id= must be True or False")) == "--site-id must be true or false"
    answer = UnprocessableEntityError(status=422, method="GET", path="/v1/x?site_id=")
    assert "/v1/x?site_id=" in message_of(answer)
    assert message_of(KeyboardInterrupt("interrupted\n  twice")) == "interrupted twice"


@pytest.mark.parametrize("form", [False, True])
def test_notes_follow_the_message(form: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order in which they were added."""
    error = InvalidArgumentError("Wrong")
    error.add_note("Do this")
    error.add_note("Or that")
    print_error(error, ExitCode.MISUSED, json=form)
    err = capsys.readouterr().err
    assert (json.loads(err)["error"]["message"] if form else err) == (
        "Wrong. Do this. Or that" if form else "kajabi: Wrong. Do this. Or that\n"
    )
