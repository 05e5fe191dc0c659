"""The error that an unsuccessful answer becomes: one hierarchy, whatever the body holds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    DecodeError,
    ErrorObject,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from kajabi_async.exchange import Answer, Request
from kajabi_async.session.error_answers import error_of, errors_in, refuse_html
from tests.clocks import ManualClock
from tests.jsonapi.strategies import document_bodies, json_values

REQUEST = Request("PATCH", "/v1/contacts/1")


def answered(status: int, body: Any = b"", hint: str | None = "", **headers: str) -> ApiError:
    answer = Answer(
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        body if isinstance(body, bytes) else json.dumps(body).encode(),
    )
    return error_of(answer, REQUEST, ManualClock(), hint=hint)


def test_lets_the_status_of_the_answer_decide() -> None:
    """Rows 90 and 91: errors of other statuses explain; the status of HTTP chooses the class."""
    error = answered(422, {"errors": [{"status": "404", "title": "A"}, {"status": 400, "title": "B"}]})
    assert type(error) is UnprocessableEntityError
    assert error.status == 422
    assert [each.status for each in error.errors] == ["404", "400"]


@pytest.mark.parametrize("errors", [[], None, 5, True, [None], [5], [[]], [[{"title": "x"}]]])
def test_finds_no_errors_if_there_are_none(errors: Any) -> None:
    """Entries that are no error objects are left out; the error stands on its status alone."""
    error = answered(500, {"errors": errors})
    assert type(error) is ServerError
    assert error.errors == ()
    assert str(error) == "PATCH /v1/contacts/1 was answered 500"


def test_reads_the_flat_error_of_oauth() -> None:
    """Row 93: the token endpoint answers ``{"error": ...}``, which becomes an error object like any other."""
    error = answered(401, {"error": "Invalid client credentials", "error_description": "No such key"})
    assert type(error) is AuthenticationError
    assert error.errors == (ErrorObject(title="Invalid client credentials", detail="No such key"),)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"5", b'"text"', b"{}", b"{", b"\xff", b"upstream error", b"[" * 100_000]
)
def test_relies_on_the_status_if_the_body_says_nothing(body: bytes) -> None:
    """Row 93: empty, plain and broken bodies become errors of the same hierarchy."""
    error = answered(404, body)
    assert type(error) is NotFoundError
    assert error.errors == ()


def test_says_that_the_answer_was_a_web_page() -> None:
    """Row 93: an HTML page, as unknown paths and the proxy in front return, is called one, in either case."""
    for content_type in ("text/html; charset=utf-8", "Text/HTML"):
        error = answered(404, b"<html><title>Secret page</title></html>", content_type=content_type)
        assert error.hint == "The body was an HTML page; the answer was HTML, not JSON:API"
        assert error.is_html is True
        assert "Secret page" not in str(error)
    assert answered(404, b"{}", content_type="application/vnd.api+json").is_html is False


def test_keeps_the_hint_of_the_status_beside_the_web_page() -> None:
    """The usual meaning of the status is in the hint, although the body was a page of the proxy in front."""
    hint = answered(429, b"<html>", content_type="text/html").hint
    assert "Too many requests" in hint
    assert "HTML" in hint


def test_refuses_a_web_page_in_place_of_an_answer() -> None:
    """The error names the media type; the names of headers are in lower case, in whatever kind of mapping."""
    page = Answer(200, {"content-type": "Text/HTML; charset=utf-8"}, b"<html>")
    with pytest.raises(DecodeError, match="the answer is 'Text/HTML; charset=utf-8', not JSON:API"):
        refuse_html(page, REQUEST)
    refuse_html(Answer(200, {}, b""), REQUEST)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>blocked</html>", "text/html"),
        (b"error code: 1020", "text/plain"),
        (b"", ""),
        (b"{}", "application/json"),
    ],
)
def test_blames_no_key_unless_the_api_itself_says_so(status: int, body: bytes, content_type: str) -> None:
    """A refusal by a firewall or proxy says nothing about keys, permissions and plans."""
    hint = answered(status, body, content_type=content_type).hint
    assert "before the API" in hint
    assert not {"key", "plan", "permission", "credentials"} & set(hint.split())
    assert hint.startswith("The answer was HTML: ") is (content_type == "text/html")


@pytest.mark.parametrize("body", [{"errors": [{"title": "Refused"}]}, {"error": "invalid_client"}])
@pytest.mark.parametrize(
    ("status", "named"),
    [(401, "credentials"), (403, "permission"), (406, "Accept"), (415, "Content-Type"), (429, "Too many requests")],
)
def test_says_what_to_do_for_a_status(status: int, named: str, body: dict[str, Any]) -> None:
    """Row 8 and the statuses of permission and speed: the message says where to look, naming the header sent."""
    assert named in str(answered(status, body))


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
def test_says_that_redirects_are_not_followed(status: int) -> None:
    """A redirect is an error of its own, because following it could carry the token away."""
    error = answered(status, location="https://evil.example/")
    assert type(error) is ApiError
    assert "never followed" in str(error)
    assert "never followed" not in str(answered(400))


def test_has_no_hint_if_the_status_says_enough() -> None:
    """The hint is empty if it would only repeat the status."""
    assert answered(500).hint == ""


def test_takes_the_hint_of_the_caller() -> None:
    """It replaces the hint of the status."""
    error = answered(401, hint="Check KAJABI_CLIENT_ID")
    assert error.hint == "Check KAJABI_CLIENT_ID"


def test_carries_what_is_needed_to_report_it() -> None:
    """The error has the request's id from the answer, its verb and path, and the seconds to wait."""
    error = answered(429, x_request_id="r-1", retry_after="2.5")
    assert isinstance(error, RateLimitError)
    assert (error.request_id, error.method, error.path, error.retry_after) == ("r-1", "PATCH", "/v1/contacts/1", 2.5)
    assert str(error).endswith("[request r-1]")


def test_names_the_field_that_was_refused() -> None:
    """Row 92: the pointer into the body is shown as the attribute that it names."""
    body = {"errors": [{"title": "Invalid", "detail": "is taken", "source": {"pointer": "/data/attributes/email"}}]}
    assert str(answered(422, body)) == "PATCH /v1/contacts/1 was answered 422: Invalid: is taken (at email)"


def test_names_the_parameter_that_was_refused() -> None:
    """Row 65: an unsupported include or sort is explained by the parameter at fault."""
    error = answered(400, {"errors": [{"title": "Bad", "source": {"parameter": "include"}}]})
    assert type(error) is BadRequestError
    assert "Bad (at include)" in str(error)


def test_never_repeats_a_long_text_in_full() -> None:
    """A title of any length does not become a message of that length, nor do many of them."""
    error = answered(400, {"errors": [{"title": "x" * 20_000, "detail": {"y": "z" * 20_000}}] * 50})
    assert len(error.errors) == 50
    assert error.errors[0].title == "x" * 500
    assert len(str(error)) < 10_000


@given(document_bodies | json_values.map(lambda value: json.dumps({"errors": value, "error": value}).encode()))
def test_reads_error_objects_from_any_body(body: bytes) -> None:
    """Any body of an error answer is read as error objects of text."""
    errors = errors_in(body)
    assert isinstance(errors, tuple)
    for error in errors:
        assert isinstance(error.title, str | None)
        assert str(error)


@given(st.integers(300, 599), st.binary(max_size=40), st.text(max_size=10))
def test_returns_an_error_for_any_answer(status: int, body: bytes, content_type: str) -> None:
    """Every status with every body is an ApiError that can be printed."""
    error = answered(status, body, content_type=content_type)
    assert error.status == status
    assert str(status) in str(error)


@pytest.mark.parametrize("depth", [2, 90, 500, 976, 977, 978, 979])
@pytest.mark.parametrize("member", ["title", "detail", "status", "source", "meta"])
def test_shows_nested_values_in_brief(depth: int, member: str) -> None:
    """They are shown in place of text, at any depth; a body that is nested too deeply counts as empty."""
    body = b'{"errors":[{"title":"a","%s":%s}]}' % (member.encode(), b"[" * depth + b"]" * depth)
    error = answered(422, body)
    assert str(error)
    assert len(error.errors) == (1 if depth < 100 else 0)
    if error.errors and member in {"detail", "status"}:
        assert getattr(error.errors[0], member) == ("[[]]" if depth == 2 else "[[[...]]]")


def test_the_request_id_is_fit_for_a_log_line() -> None:
    """People copy it into logs and tickets, and a proxy may have made it."""
    error = answered(500, x_request_id="r\x1b[2J\x9b\u202e" + "1" * 500)
    assert error.request_id == r"r\x1b[2J\x9b\u202e" + "1" * 193
