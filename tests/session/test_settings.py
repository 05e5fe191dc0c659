"""The settings that are refused when a session is made."""

import asyncio
import pickle
import time
from typing import Any

import attrs
import pytest

from kajabi_async import (
    ClientClosedError,
    ClientCredentials,
    ConfigurationError,
    PasswordCredentials,
    RefreshTokenCredentials,
    SessionManager,
    Timeouts,
    WrongLoopError,
)
from kajabi_async.clock import SystemClock
from kajabi_async.session.binding import Binding
from kajabi_async.session.credentials import Secret
from kajabi_async.session.limits.deadlines import _limit, checked_seconds
from kajabi_async.session.retry import RetryBudget
from kajabi_async.session.settings import checked_base_url


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
    """It may have a path in front of the API's."""
    assert checked_base_url(given, allow_insecure=False) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
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
def test_a_base_url_that_requests_must_not_go_to_is_refused(given: Any, expected: str) -> None:
    """The text says what is wrong and shows none of the URL, which may hold a password."""
    with pytest.raises(ConfigurationError, match=expected) as caught:
        checked_base_url(given, allow_insecure=False)
    assert "pw" not in str(caught.value)


_EXAMPLE = "such as https://api.kajabi.com"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ftp://api.kajabi.com", f"base_url must be scheme and host, {_EXAMPLE}"),
        ("https:///v1", f"base_url must be scheme and host, {_EXAMPLE}"),
        *(
            (given, f"base_url must not carry user information, a query or a fragment, {_EXAMPLE}")
            for given in ("https://me@api.kajabi.com", "https://api.kajabi.com/?x=1", "https://api.kajabi.com#top")
        ),
        ("https://api.kajabi.com/v1/", f"base_url must end without /v1, {_EXAMPLE}"),
        (
            "http://api.kajabi.com",
            (
                "base_url is plain http, which would send the secret and the token in clear text: use https, or "
                "allow_insecure=True if the network on the way is trusted"
            ),
        ),
        (5, f"base_url must be a URL, {_EXAMPLE}"),
        ("https://a\tb", f"base_url must be a URL, {_EXAMPLE}"),
        ("https://[::1", f"base_url is not a URL, {_EXAMPLE}"),
    ],
)
def test_what_is_wrong_with_a_base_url_is_said(given: Any, expected: str) -> None:
    """The error shows what it should look like."""
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url(given, allow_insecure=False)
    assert str(caught.value) == expected
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("HTTPS://API.kajabi.com//", "https://API.kajabi.com"),
        ("https://proxy.example/v1/kajabi", "https://proxy.example/v1/kajabi"),
        ("https://proxy.example/kajabi/v12", "https://proxy.example/kajabi/v12"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("https://proxy.example/BOX/", "https://proxy.example/BOX"),
    ],
)
def test_only_what_is_in_the_way_is_taken_off_a_base_url(given: str, expected: str) -> None:
    """Slashes at its end."""
    assert checked_base_url(given, allow_insecure=False) == expected


def test_plain_http_is_taken_where_it_is_asked_for() -> None:
    """For networks that are secured in another way."""
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
    """A password is sent without a grant type."""
    assert credentials.form() == form


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x00", 5, None])
def test_unusable_secrets_are_refused_by_name_only(value: Any) -> None:
    """The value is never shown."""
    with pytest.raises(ConfigurationError, match="client_secret") as caught:
        ClientCredentials("id", value)
    assert repr(value) not in str(caught.value) or value in ("", "  ", None, 5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "refresh_token must be a string, got int"),
        (None, "refresh_token must be a string, got NoneType"),
        (b"r", "refresh_token must be a string, got bytes"),
        (" ", "refresh_token is empty"),
        ("a\n", "refresh_token holds control characters; was a line end copied along?"),
    ],
)
def test_what_is_wrong_with_a_secret_is_said(value: Any, expected: str) -> None:
    """By the name of the field."""
    with pytest.raises(ConfigurationError) as caught:
        RefreshTokenCredentials(value)
    assert str(caught.value) == expected


def test_a_secret_may_be_handed_in_hidden_already() -> None:
    """It is taken as it is, and checked all the same."""
    secret = Secret("s")
    assert ClientCredentials("a", secret).client_secret is secret
    with pytest.raises(ConfigurationError, match="client_id is empty"):
        ClientCredentials(Secret(""), secret)


def test_secrets_are_compared_by_their_text() -> None:
    """In sets and dictionaries too."""
    assert hash(Secret("a")) == hash(Secret("a"))
    assert hash(Secret("a")) != hash(Secret("b"))
    assert Secret("a") != Secret("b")
    with pytest.raises(TypeError) as caught:
        pickle.dumps(Secret("a"))
    assert str(caught.value) == (
        "a secret is not pickled; hand the credentials to the other process by its environment"
    )


def test_a_secret_never_shows_its_text() -> None:
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


def test_a_time_limit_that_makes_no_sense_is_named_with_what_was_given() -> None:
    """Those of the client, and that of a call."""
    with pytest.raises(ConfigurationError) as caught:
        Timeouts(read=-1)
    assert str(caught.value) == ("the timeout read must be a positive number of seconds, or None for no limit, got -1")
    with pytest.raises(ConfigurationError) as caught:
        checked_seconds("timeout", "5")
    assert str(caught.value) == "timeout must be a positive number of seconds, or None for no limit, got '5'"


@pytest.mark.parametrize(("seconds", "checked"), [(None, None), (5, 5.0), (0.25, 0.25)])
def test_seconds_may_have_a_fraction(seconds: Any, checked: float | None) -> None:
    """They become a float."""
    given = checked_seconds("timeout", seconds)
    assert (given, type(given)) == (checked, type(checked))


def test_the_limits_are_a_minute_in_all_ten_seconds_for_connecting_and_thirty_for_silence() -> None:
    """By default; each is checked."""
    assert Timeouts() == Timeouts(total=60.0, queue=None, connect=10.0, read=30.0)
    limits = attrs.make_class("limits", {"write": _limit(7.0)})
    assert limits().write == 7.0
    with pytest.raises(ConfigurationError, match="the timeout write must be a positive number"):
        limits(-1)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"concurrency": 0}, "concurrency must be a whole number of at least 1, got 0"),
        ({"concurrency": True}, "concurrency must be a whole number of at least 1, got True"),
        ({"concurrency": 1.5}, "concurrency must be a whole number of at least 1, got 1.5"),
        ({"max_answer_bytes": 0}, "max_answer_bytes must be a whole number of at least 1, got 0"),
        ({"max_answer_bytes": True}, "max_answer_bytes must be a whole number of at least 1, got True"),
        ({"max_answer_bytes": 1e6}, "max_answer_bytes must be a whole number of at least 1, got 1000000.0"),
        ({"max_answer_elements": 0}, "max_answer_elements must be a whole number of at least 1, got 0"),
        ({"max_answer_elements": 1e6}, "max_answer_elements must be a whole number of at least 1, got 1000000.0"),
        *(({"user_agent": agent}, "user_agent must be printable ASCII") for agent in ("a\r\nb", " ", "", "\u00e9")),
        ({"user_agent": 5}, "user_agent must be text, got int"),
        ({"allow_insecure": "no"}, "allow_insecure must be True or False, got 'no'"),
        ({"retry": 5}, "retry must be a RetryPolicy, got int"),
        ({"retry": False}, "retry must be a RetryPolicy, got bool"),
        ({"clock": 5}, "clock must have monotonic(), time() and sleep(), got int"),
        ({"observers": [5]}, "an observer must be a function, got int"),
        ({"observers": 5}, "an iterable of observers is needed, got int"),
        ({"rate_limit": 0}, "a rate must be a positive number of requests a second, got 0"),
        (
            {"base_url": "http://a"},
            (
                "base_url is plain http, which would send the secret and the token in clear text: "
                "use https, or allow_insecure=True if the network on the way is trusted"
            ),
        ),
    ],
)
def test_other_settings_that_make_no_sense_are_refused(settings: Any, expected: str) -> None:
    """Before anything is sent with them; the error shows the value."""
    with pytest.raises(ConfigurationError) as caught:
        SessionManager(credentials=ClientCredentials("a", "b"), **settings)
    assert str(caught.value) == expected


def test_the_least_of_everything_is_taken() -> None:
    """One slot, one byte."""
    manager = SessionManager(
        credentials=ClientCredentials("a", "b"),
        base_url="http://a",
        allow_insecure=True,
        concurrency=1,
        max_answer_bytes=1,
        max_answer_elements=1,
        user_agent="x",
    )
    assert manager.base_url == "http://a"


def test_the_base_url_is_the_api_of_kajabi_by_default() -> None:
    """At the address of the API document."""
    assert SessionManager(credentials=ClientCredentials("a", "b")).base_url == "https://api.kajabi.com"


def test_a_retry_budget_is_a_number_of_at_least_zero() -> None:
    """The text shows the value."""
    for capacity in (-1, True, float("nan")):
        with pytest.raises(ConfigurationError) as caught:
            RetryBudget(capacity)
        assert str(caught.value) == f"the retry budget must be a number of at least 0, got {capacity!r}"
    assert RetryBudget(0).left == 0.0


def test_where_a_client_may_not_be_used_is_said() -> None:
    """Closed, after a fork, or on another event loop; closing returns whether it was open."""

    async def use(binding: Binding) -> None:
        binding.check()

    def refused(kind: type[ConfigurationError], binding: Binding) -> str:
        with pytest.raises(kind) as caught:
            asyncio.run(use(binding))
        return str(caught.value)

    binding = Binding()
    asyncio.run(use(binding))
    assert refused(WrongLoopError, binding) == (
        "the client was used on another event loop before: make one client for each loop, such as one per "
        "asyncio.run() or per worker"
    )
    binding._process = 0
    assert refused(WrongLoopError, binding) == (
        "the client was made before a fork: make one in each process, after the fork"
    )
    assert [binding.close(), binding.close()] == [True, False]
    assert refused(ClientClosedError, binding) == (
        "the client is closed: make another one, or keep it open while it is used"
    )


async def test_no_request_leaves_in_another_process_than_the_first() -> None:
    """Even if it began before the fork."""
    binding = Binding()
    binding.check()
    binding.check_open()
    binding._process = 0
    with pytest.raises(WrongLoopError, match="before a fork"):
        binding.check_open()


async def test_connections_are_closed_by_the_process_that_made_them_and_once() -> None:
    """Before the first use there are none."""
    binding = Binding()
    assert not binding.owns_connections()
    binding.check()
    process = binding._process
    assert binding.owns_connections()
    binding._process = 0
    assert not binding.owns_connections()
    binding._process = process
    binding.close()
    assert binding.owns_connections()
    binding.closed()
    assert not binding.owns_connections()


def test_connections_of_an_event_loop_that_is_closed_are_not_closed_again() -> None:
    """They ended with it."""
    binding = Binding()

    async def use() -> None:
        binding.check()

    async def owns() -> bool:
        return binding.owns_connections()

    asyncio.run(use())
    assert not asyncio.run(owns())


async def test_a_client_that_was_never_used_is_closed_once_and_for_all() -> None:
    """As one that was used."""
    binding = Binding()
    assert [binding.close(), binding.close()] == [True, False]
    with pytest.raises(ClientClosedError):
        binding.check()


async def test_a_client_may_be_used_again_and_again_where_it_was_used_first() -> None:
    """On the event loop and in the process of its first use, and nowhere else."""
    binding = Binding()
    for _ in range(3):
        binding.check()

    async def use() -> None:
        binding.check()

    with pytest.raises(WrongLoopError):
        await asyncio.to_thread(asyncio.run, use())
    binding.check()


async def test_the_clock_of_the_machine_is_its_clock() -> None:
    """Monotonic time, wall time, and waiting."""
    clock = SystemClock()
    assert time.monotonic() <= clock.monotonic() <= time.monotonic()
    assert time.time() - 5 <= clock.time() <= time.time() + 5
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "others")
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert ran == ["others"]
    assert clock.monotonic() - before >= 0.009
