import copy
import pickle
from typing import Any

import attrs
import pytest
from rich.pretty import pretty_repr

from kajabi_async.exchange import FORM, JSON_API, SUCCESS, Answer, Request, SessionStats, Tally


def test_sends_the_media_type_without_parameters() -> None:
    """Rows 1, 2 and 5: a body has the bare media type of JSON:API, the OAuth endpoints take a form."""
    assert Request("POST", "/v1/contacts").content_type == JSON_API == "application/vnd.api+json"
    assert FORM == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "is_write"),
    [("GET", False), ("HEAD", False), ("POST", True), ("PATCH", True), ("PUT", True), ("DELETE", True)],
)
def test_knows_what_may_change_something(method: str, is_write: bool) -> None:
    """Every method except GET and HEAD is a write, unknown verbs included."""
    assert Request(method, "/v1/contacts").is_write is is_write
    assert Request("BREW", "/v1/contacts").is_write


def test_success_is_2xx() -> None:
    """Every other status is a failure."""
    assert [status in SUCCESS for status in (199, 200, 299, 300, 404)] == [False, True, True, False, False]


def test_carries_the_token_by_default() -> None:
    """A request is authorized unless it says otherwise."""
    assert Request("GET", "/v1/me").authorized


@pytest.mark.parametrize(("value", "member"), [(Request("GET", "/v1/me"), "path"), (Answer(200, {}, b""), "status")])
def test_cannot_be_changed(value: Any, member: str) -> None:
    """These are values: they never change."""
    with pytest.raises(AttributeError):
        setattr(value, member, "x")


def test_prints_neither_bodies_nor_headers() -> None:
    """A form with a secret, an answer with a token and the headers of an answer are in no ``repr``."""
    request = Request("POST", "/v1/oauth/token", body=b"client_secret=canary")
    answer = Answer(200, {"set-cookie": "canary"}, b'{"access_token": "canary"}')
    assert "canary" not in f"{request!r} {request} {answer!r} {answer}"
    assert "/v1/oauth/token" in repr(request)
    assert "200" in repr(answer)


def test_compares_by_content() -> None:
    """Equal requests are equal, and can be keys."""
    assert Request("GET", "/v1/me") == Request("GET", "/v1/me")
    assert len({Request("GET", "/v1/me"), Request("GET", "/v1/me"), Request("GET", "/v1/me", "a=b")}) == 2


def test_starts_a_tally_at_nothing() -> None:
    """A tally begins with zeros, so that one can be passed to any number of operations."""
    assert attrs.astuple(Tally()) == (0, 0, 0, 0.0, 0.0)


@pytest.mark.parametrize("value", [Request("GET", "/v1/me", body=b"x"), Answer(200, {"a": "b"}, b"x"), Tally(1, 2, 3)])
def test_copies(value: Any) -> None:
    """Copies are equal."""
    assert copy.deepcopy(value) == copy.copy(value) == value


def test_pickles_what_holds_numbers_alone() -> None:
    """The cost of an operation may cross processes; a body with a secret or user data may not."""
    tally = Tally(1, 2, 3, 4.0, 5.0)
    assert pickle.loads(pickle.dumps(tally)) == tally
    for value in (Request("POST", "/v1/oauth/token", body=b"canary"), Answer(200, {"set-cookie": "canary"}, b"canary")):
        with pytest.raises(TypeError, match=f"^{type(value).__name__} is not pickled") as caught:
            pickle.dumps(value)
        assert "canary" not in str(caught.value)


def test_rich_prints_neither_bodies_nor_headers() -> None:
    """Crash reporters use the representation for rich if there is one."""
    request = Request("POST", "/v1/oauth/token", "a=b", body=b"client_secret=canary")
    answer = Answer(200, {"set-cookie": "canary"}, b'{"access_token": "canary"}')
    shown = pretty_repr([request, answer, {"request": request}])
    assert "canary" not in shown
    assert "/v1/oauth/token" in shown
    assert "200" in shown


@pytest.mark.parametrize("counters", [Tally(), SessionStats()])
def test_counters_are_no_keys(counters: Tally) -> None:
    """They change, and are equal as long as their numbers are."""
    assert counters == copy.copy(counters) != attrs.evolve(counters, attempts=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counters)
