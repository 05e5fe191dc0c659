"""What callers hand in is refused before anything is done with it, by name and with what came."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import ConfigurationError, InvalidArgumentError, Kajabi, RetryPolicy, loads
from kajabi_async.checks import (
    boolean,
    function,
    iterable_of,
    names_in,
    number,
    positive_seconds,
    shown,
    string,
    whole_number,
    with_methods,
)
from kajabi_async.export import export
from kajabi_async.resources.account import Hooks
from kajabi_async.resources.people import Contacts, Customers
from kajabi_async.webhooks import MemoryReplayGuard, PathSecrets, Receiver, parse
from tests.sending import Canned, context

HUGE = 10**5000
"""More digits than Python prints, and more than a float holds."""
HUGE_AND_LEAST = [pytest.param(HUGE, id="huge"), pytest.param(-HUGE, id="least")]


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "5", None, 10**9 + 1, *HUGE_AND_LEAST])
def test_a_whole_number_is_an_integer_in_its_range(value: Any) -> None:
    """The text names the argument, the range and what came; a bool is no number here."""
    with pytest.raises(InvalidArgumentError) as caught:
        whole_number(value, of="limit")
    assert str(caught.value) == (
        f"limit must be a whole number of at least 1 and at most 1000000000, got {shown(value)}"
    )
    assert whole_number(1, of="limit") == 1
    assert whole_number(0, of="limit", at_least=0) == 0
    assert whole_number(10**9, of="limit") == 10**9


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "5", None, pytest.param(-HUGE, id="least")])
def test_a_whole_number_may_have_no_upper_limit(value: Any) -> None:
    """Then the text names none."""
    with pytest.raises(ConfigurationError) as caught:
        whole_number(value, of="max_elements", at_most=None, error=ConfigurationError)
    assert str(caught.value) == f"max_elements must be a whole number of at least 1, got {shown(value)}"
    assert whole_number(HUGE, of="max_elements", at_most=None) == HUGE


@pytest.mark.parametrize("value", [0, -0.5, math.nan, math.inf, True, "5", None, pytest.param(HUGE, id="huge")])
def test_seconds_are_positive_and_finite(value: Any) -> None:
    """An integer beyond the largest float is refused like infinity."""
    with pytest.raises(InvalidArgumentError) as caught:
        positive_seconds(value, of="patience")
    assert str(caught.value) == f"patience must be a positive number of seconds, got {shown(value)}"
    assert [positive_seconds(5, of="x"), type(positive_seconds(5, of="x"))] == [5.0, float]
    with pytest.raises(InvalidArgumentError, match="a positive number of seconds below 10, got 10"):
        positive_seconds(10, of="x", below=10)


def test_a_number_is_what_fits() -> None:
    """Infinity, if that does."""
    assert number(math.inf, of="x", expected="a number", fits=lambda _: True) == math.inf
    with pytest.raises(ConfigurationError, match=r"^x must be an even number, got 3$"):
        number(3, of="x", expected="an even number", fits=lambda it: it % 2 == 0, error=ConfigurationError)


@pytest.mark.parametrize("value", ["false", "", 0, 1, None, 1.0])
def test_a_boolean_is_true_or_false(value: Any) -> None:
    """The text "false" would count as true."""
    with pytest.raises(InvalidArgumentError) as caught:
        boolean(value, of="strict")
    assert str(caught.value) == f"strict must be True or False, got {value!r}"
    assert [boolean(True, of="x"), boolean(False, of="x")] == [True, False]


def test_a_string_is_text() -> None:
    """What came is named by its type: it may be a secret."""
    with pytest.raises(InvalidArgumentError, match=r"^email must be text, got bytes$"):
        string(b"ada@example.com", of="email")
    assert string("", of="email") == ""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("77", "got one string: write ['77']"),
        (b"77", "got one string: write [b'77']"),
        (7, "got int"),
        (None, "got NoneType"),
    ],
)
def test_one_string_is_no_iterable_of_things(values: Any, expected: str) -> None:
    """It would be taken apart into its characters."""
    with pytest.raises(InvalidArgumentError) as caught:
        iterable_of("ids", values)
    assert str(caught.value) == f"an iterable of ids is needed, {expected}"
    assert iterable_of("ids", ["7"]) == ["7"]


@pytest.mark.parametrize(
    ("values", "names"),
    [("a, b,,c", ["a", "b", "c"]), (["a,b", " c "], ["a,b", "c"]), ((), []), ("", []), (iter(["a"]), ["a"])],
)
def test_names_are_one_text_or_several(values: Any, names: list[str]) -> None:
    """Blanks around them do not count, and a blank is no name."""
    assert list(names_in(values, of="include")) == names


@pytest.mark.parametrize(("values", "type_name"), [(7, "int"), ([1], "int"), (None, "NoneType"), (b"ab", "int")])
def test_names_are_text(values: Any, type_name: str) -> None:
    """Each of them."""
    with pytest.raises(InvalidArgumentError, match=rf"^sort= takes names, got {type_name}$"):
        list(names_in(values, of="sort"))


def test_a_value_is_shown_short() -> None:
    """Whatever it is."""
    assert len(shown("x" * 1000)) == 60
    assert shown(HUGE) == "a huge int"


def _client(**options: Any) -> Kajabi:
    return Kajabi(client_id="a", client_secret="b", **options)


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def _receiver(**options: Any) -> Receiver:
    return Receiver(PathSecrets("s" * 32), MemoryReplayGuard(), **options)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (_client, "strict"),
        (_client, "allow_insecure"),
        (_receiver, "strict"),
        (_client, "concurrency"),
        (_client, "max_answer_bytes"),
        (_client, "max_answer_elements"),
        (_receiver, "max_bytes"),
        (_receiver, "max_elements"),
        (MemoryReplayGuard, "most_keys"),
        (MemoryReplayGuard, "ttl_seconds"),
        (RetryPolicy, "max_attempts"),
        (RetryPolicy, "base_seconds"),
        (RetryPolicy, "max_backoff_seconds"),
    ],
)
@pytest.mark.parametrize("value", ["false", None, [], pytest.param(-HUGE, id="least")])
def test_a_setting_of_a_wrong_kind_is_refused_when_the_object_is_made(
    make: Callable[..., object], argument: str, value: Any
) -> None:
    """With ConfigurationError, which names it."""
    with pytest.raises(ConfigurationError, match=rf"^{argument} must be "):
        make(**{argument: value})


@pytest.mark.parametrize("value", ["false", 0, None])
async def test_a_flag_of_a_wrong_kind_is_refused_before_anything_is_sent(value: Any, tmp_path: Path) -> None:
    """``verify="false"`` would verify, and ``send_customer_welcome_email="no"`` would send the email."""
    send = Canned({})
    contacts, customers = Contacts(context(send, site_id="1")), Customers(context(send))
    with pytest.raises(InvalidArgumentError, match=r"^send_customer_welcome_email must be True or False"):
        await contacts.grant_offers("1", ["2"], send_customer_welcome_email=value)
    with pytest.raises(InvalidArgumentError, match=r"^send_customer_welcome_email must be True or False"):
        await contacts.ensure_offers("1", ["2"], send_customer_welcome_email=value)
    with pytest.raises(InvalidArgumentError, match=r"^verify must be True or False"):
        await contacts.add_tags("1", ["2"], verify=value)
    with pytest.raises(InvalidArgumentError, match=r"^verify must be True or False"):
        await customers.grant_offers("1", ["2"], verify=value)
    with pytest.raises(InvalidArgumentError, match=r"^verify must be True or False"):
        await contacts.create(email="ada@example.com", verify=value)
    with pytest.raises(InvalidArgumentError, match=r"^thorough must be True or False"):
        await customers.find_by_email("ada@example.com", thorough=value)
    with pytest.raises(InvalidArgumentError, match=r"^ordered must be True or False"):
        customers.get_many(["1"], ordered=value)
    with pytest.raises(InvalidArgumentError, match=r"^restart must be True or False"):
        await export(customers.list(), tmp_path / "customers.csv", restart=value)
    with pytest.raises(InvalidArgumentError, match=r"^strict must be True or False"):
        parse(b"{}", strict=value)
    assert not send.asked
    assert _names(tmp_path) == []


@pytest.mark.parametrize("value", [5, None, b"text"])
async def test_what_must_be_text_is_refused_by_name_if_it_is_not(value: Any) -> None:
    """In place of an AttributeError from within."""
    send = Canned({})
    contacts, hooks = Contacts(context(send)), Hooks(context(send, site_id="1"))
    with pytest.raises(InvalidArgumentError, match=r"^email must be text"):
        await contacts.find_by_email(value)
    with pytest.raises(InvalidArgumentError, match=r"^email must be text"):
        await contacts.get_or_create(email=value, site_id="1")
    with pytest.raises(InvalidArgumentError, match=r"^target_url must be text"):
        await hooks.create(event="purchase", target_url=value)
    with pytest.raises(InvalidArgumentError, match=r"^url must be text"):
        await hooks.ensure(value, ["purchase"])
    async with _client() as api:
        with pytest.raises(InvalidArgumentError, match=r"^method must be text"):
            await api.request(value, "/v1/me")
        with pytest.raises(InvalidArgumentError, match=r"^path must be text"):
            await api.request("GET", value)
    if value is not None:
        with pytest.raises(InvalidArgumentError, match=r"^resume_from must be text"):
            contacts.list(resume_from=value)
    assert not send.asked


@pytest.mark.parametrize("limit", ["max_bytes", "max_elements"])
def test_the_limits_of_one_delivery_or_text_are_whole_numbers(limit: str) -> None:
    """As those of a receiver are."""
    odd: Any = {limit: "5"}
    with pytest.raises(InvalidArgumentError, match=rf"^{limit} must be a whole number of at least 1, got '5'$"):
        parse(b"{}", **odd)
    if limit == "max_elements":
        with pytest.raises(ConfigurationError, match=r"^max_elements must be a whole number of at least 1, got '5'$"):
            loads("{}", **odd)


async def test_offers_to_be_ensured_are_several() -> None:
    """One string would be taken for its characters, and each of these granted."""
    send = Canned({})
    with pytest.raises(InvalidArgumentError, match=r"write \['77'\]"):
        await Contacts(context(send)).ensure_offers("1", "77")
    assert not send.asked


def test_a_function_can_be_called() -> None:
    """A class as well."""
    with pytest.raises(InvalidArgumentError, match=r"^observer must be a function, got str$"):
        function("print", of="observer")
    assert function(print, of="observer") is print


def test_an_object_has_the_methods_of_its_protocol() -> None:
    """All of them are named, whichever is missing."""
    with pytest.raises(ConfigurationError, match=r"^it must have strip\(\), upper\(\) and take\(\), got str$"):
        with_methods("text", "strip", "upper", "take", of="it")
    with pytest.raises(ConfigurationError, match=r"^it must have take\(\), got int$"):
        with_methods(5, "take", of="it")
    assert with_methods("text", "strip", "upper", of="it") == "text"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda: _client(rate_limit="5"),
            "rate_limit must have take(), answered(), refused() and per_second(), got str",
        ),
        (lambda: _client(observers=5), "an iterable of observers is needed, got int"),
        (lambda: _client(observers=[print, 5]), "an observer must be a function, got int"),
        (lambda: Kajabi(credentials="id"), "credentials must have form(), got str"),  # type: ignore[arg-type]
        (lambda: RetryPolicy(statuses=503), "an iterable of statuses is needed, got int"),  # type: ignore[arg-type]
    ],
)
def test_an_object_of_a_wrong_kind_is_refused_when_the_client_is_made(
    make: Callable[[], object], expected: str
) -> None:
    """By name, and not by an AttributeError from within, later."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == expected


async def test_arguments_of_a_wrong_shape_are_refused_before_anything_is_sent() -> None:
    """Whatever they are in place of a mapping, a function, resources or a class."""
    odd: Any = 5
    several: Any = [odd]
    text: Any = "customers"
    customers = Customers(context(Canned({})))
    with pytest.raises(InvalidArgumentError, match=r"^extra_filters= maps names to values, got list$"):
        customers.list(extra_filters=several)
    with pytest.raises(InvalidArgumentError, match=r"^observer must be a function, got int$"):
        customers.get_many(["1"], observer=odd)
    with pytest.raises(InvalidArgumentError, match="custom fields are called custom_1"):
        await Contacts(context(Canned({}), site_id="1")).create(custom_fields={odd: "blue"})
    with pytest.raises(InvalidArgumentError, match=r"^loads\(\) takes text or bytes, got int$"):
        loads(odd)
    async with _client() as api:
        for resources in (odd, several, text):
            with pytest.raises(InvalidArgumentError, match="resources"):
                await api.prefetch(resources, "contact")
        with pytest.raises(InvalidArgumentError, match="a path of relations must be text"):
            await api.prefetch([], odd)
        with pytest.raises(InvalidArgumentError, match=r"resource\(\) takes a subclass of ResourceOperations, got 5"):
            api.resource(odd)
