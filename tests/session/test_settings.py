"""What is refused when a session is made."""

import pickle
from typing import Any

import pytest

from kajabi_async import (
    ClientCredentials,
    ConfigurationError,
    PasswordCredentials,
    RefreshTokenCredentials,
    SessionManager,
    Timeouts,
)
from kajabi_async.session.base_url import checked_base_url
from kajabi_async.session.credentials import Secret


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://api.kajabi.com", "https://api.kajabi.com"),
        ("https://api.kajabi.com/", "https://api.kajabi.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
        ("https://proxy.example/kajabi/", "https://proxy.example/kajabi"),
    ],
)
def test_a_base_url_is_scheme_and_host(given: str, expected: str) -> None:
    """A path in front of the API's may be there."""
    assert checked_base_url(given, allow_insecure=False) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("https://api.kajabi.com/v1", "without /v1"),
        ("http://api.kajabi.com", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("https://me:pw@api.kajabi.com", "user information"),
        ("https://api.kajabi.com?x=1", "a query"),
        ("ftp://api.kajabi.com", "scheme and host"),
        ("api.kajabi.com", "scheme and host"),
        ("https://", "scheme and host"),
        ("https://a:99999", "not a URL"),
        ("https://a b", "must be a URL"),
        ("https://a\nb", "must be a URL"),
        (None, "must be a URL"),
    ],
)
def test_a_base_url_that_requests_must_not_go_to_is_refused(given: Any, told: str) -> None:
    """The text says what is wrong and shows none of it: it may hold a password."""
    with pytest.raises(ConfigurationError, match=told) as caught:
        checked_base_url(given, allow_insecure=False)
    assert "pw" not in str(caught.value)


def test_plain_http_is_taken_where_it_is_asked_for() -> None:
    """For networks that are safe in another way."""
    assert checked_base_url("http://10.0.0.1", allow_insecure=True) == "http://10.0.0.1"


@pytest.mark.parametrize(
    ("credentials", "form"),
    [
        (ClientCredentials("a", "b"), {"client_id": "a", "client_secret": "b", "grant_type": "client_credentials"}),
        (RefreshTokenCredentials("r"), {"refresh_token": "r", "grant_type": "refresh_token"}),
        (PasswordCredentials("u", "p"), {"username": "u", "password": "p"}),
    ],
)
def test_each_grant_sends_its_own_fields_and_no_others(credentials: Any, form: dict[str, str]) -> None:
    """A password goes without a grant type."""
    assert credentials.form() == form


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x00", 5, None])
def test_unusable_secrets_are_refused_by_name_only(value: Any) -> None:
    """The value is never shown."""
    with pytest.raises(ConfigurationError, match="client_secret") as caught:
        ClientCredentials("id", value)
    assert repr(value) not in str(caught.value) or value in ("", "  ", None, 5)


def test_a_secret_shows_itself_to_nobody() -> None:
    """Neither in repr nor in a pickle."""
    credentials = ClientCredentials("id-canary", "secret-canary")
    assert "canary" not in repr(credentials)
    assert str(Secret("x")) == "Secret(...)"
    assert (Secret("x") == Secret("x"), Secret("x") == "x", len({Secret("x"), Secret("x")})) == (True, False, 1)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(credentials)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5"])
@pytest.mark.parametrize("name", ["total", "queue", "connect", "read"])
def test_a_time_limit_is_positive_seconds_or_none(name: str, seconds: Any) -> None:
    """The text names the limit."""
    with pytest.raises(ConfigurationError, match=name):
        Timeouts(**{name: seconds})
    assert Timeouts(**{name: None}) is not None


@pytest.mark.parametrize(
    "settings",
    [{"concurrency": 0}, {"concurrency": True}, {"max_answer_bytes": 0}, {"user_agent": "a\r\nb"}, {"user_agent": " "}],
)
def test_other_settings_that_make_no_sense_are_refused(settings: Any) -> None:
    """Before anything is sent with them."""
    with pytest.raises(ConfigurationError):
        SessionManager(credentials=ClientCredentials("a", "b"), **settings)
