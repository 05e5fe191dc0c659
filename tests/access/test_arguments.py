"""Misuse is refused before anything is done, with what to write instead."""

import inspect
import json
import pickle
from typing import Any

import pytest

from kajabi_async import ConfigurationError, InvalidArgumentError, InvalidIdError
from kajabi_async.access import Access, AccessGate, MemoryCache, RedisCache
from tests.access.world import World


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fresh": -1}, "fresh must be a number of seconds, 0 or more, got -1"),
        ({"fresh": "60"}, "fresh must be a number of seconds, 0 or more, got '60'"),
        ({"fresh": float("nan")}, "fresh must be a number of seconds, 0 or more, got nan"),
        ({"fresh_denied": None}, "fresh_denied must be a number of seconds, 0 or more, got None"),
        ({"stale": float("inf")}, "stale must be a number of seconds, 0 or more, got inf"),
        ({"stale": 10}, "stale=10 must not be less than fresh=60.0: both count from one reading"),
        ({"budget": 0}, "budget must be a positive number of seconds below 1e+09, got 0"),
        ({"budget": -2.0}, "budget must be a positive number of seconds below 1e+09, got -2.0"),
        ({"budget": True}, "budget must be a positive number of seconds below 1e+09, got True"),
        ({"thorough": "yes"}, "thorough must be True or False, got 'yes'"),
        ({"cache": {}}, "cache must have get(), set() and delete(), got dict"),
        ({"cache": MemoryCache}, "cache must be an object, got the class MemoryCache: write MemoryCache(...)"),
        ({"frehs": 1}, "AccessGate() has no option 'frehs'; did you mean 'fresh'?"),
        ({"timeout": 1}, "AccessGate() has no option 'timeout'; did you mean 'budget'?"),
        ({"ttl": 1}, "AccessGate() has no option 'ttl'; fresh= and stale= are in seconds"),
        (
            {"zzz": 1},
            "AccessGate() has no option 'zzz'; its options are cache, fresh, fresh_denied, stale, budget, thorough",
        ),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(world: World, options: dict[str, Any], message: str) -> None:
    """When the gate is made."""
    with pytest.raises(ConfigurationError) as caught:
        world.gate(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize("api", [None, "api", object()])
def test_a_gate_stands_before_a_client(api: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(ConfigurationError, match="AccessGate takes a Kajabi client"):
        AccessGate(api)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "check() takes either email= or customer_id="),
        ({"email": "a@b.c", "customer_id": 1}, "check() takes either email= or customer_id="),
        ({"customer_id": "1", "offers": "4"}, "an iterable of ids of offers is needed, got one string: write ['4']"),
        ({"customer_id": "1", "offers": 4}, "an iterable of ids of offers is needed, got int"),
        ({"customer_id": "1", "products": None}, "an iterable of ids of products is needed, got NoneType"),
        ({"customer_id": "1", "offer": ["4"]}, "check() has no argument 'offer'; did you mean 'offers'?"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(world: World, arguments: dict[str, Any], message: str) -> None:
    """Nothing is sent."""
    with pytest.raises(InvalidArgumentError) as caught:
        await world.gate().check(**arguments)
    assert str(caught.value) == message
    assert world.asked == 0


@pytest.mark.parametrize("value", ["", "a/b", "..", True, -1, 1.5, b"1"])
async def test_what_cannot_be_an_id_is_refused(world: World, value: Any) -> None:
    """A customer's, an offer's and a product's."""
    gate = world.gate()
    with pytest.raises(InvalidIdError):
        await gate.check(customer_id=value)
    with pytest.raises(InvalidIdError):
        await gate.check(customer_id="1", offers=[value])
    with pytest.raises(InvalidIdError):
        await gate.check(customer_id="1", products=[value])
    assert world.asked == 0


def test_the_options_are_those_that_the_signature_has() -> None:
    """And their defaults."""
    parameters = inspect.signature(AccessGate).parameters
    defaults = {name: each.default for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}
    assert defaults == {
        "cache": None,
        "fresh": 60.0,
        "stale": 86_400.0,
        "budget": 2.0,
        "fresh_denied": 10.0,
        "thorough": False,
    }


async def test_an_answer_is_short_and_holds_ids_only(world: World) -> None:
    """It may be logged."""
    world.person(offers=["4"])
    access = await world.gate().check(email="ada@example.com", offers=["4"])
    assert repr(access) == "<Access allowed: holds offer 4, customer 55, as of 2023-11-14T22:30:00Z>"
    assert access.to_dict() == {
        "allowed": True,
        "denied": False,
        "unknown": False,
        "because": "holds offer 4",
        "as_of": "2023-11-14T22:30:00Z",
        "person": "55",
        "error": None,
    }
    assert json.loads(json.dumps(access.to_dict())) == access.to_dict()
    assert pickle.loads(pickle.dumps(access)) == access


async def test_an_unknown_answer_can_be_shown_and_pickled_too(world: World) -> None:
    """With the error as text."""
    world.be_gone()
    access = await world.gate().check(customer_id="55")
    assert repr(access) == "<Access unknown: Kajabi could not be read (ConnectionFailedError)>"
    assert access.to_dict()["error"] == "refused"
    assert pickle.loads(pickle.dumps(access)).unknown


def test_the_truth_of_an_answer_is_refused() -> None:
    """Every object is true: 'if access' would let everybody in."""
    with pytest.raises(TypeError, match=r"if access\.allowed"):
        bool(Access(state="denied", because="no"))


async def test_many_reasons_and_many_offers_make_a_short_text(world: World) -> None:
    """Three reasons, and five ids."""
    world.person(offers=[str(number) for number in range(10)])
    gate = world.gate()
    access = await gate.check(customer_id="55", offers=[str(number) for number in range(10)])
    assert access.because == "holds offer 0; holds offer 1; holds offer 2 and more"
    access = await gate.check(customer_id="55", offers=range(100, 110), products=[7])
    assert access.because == "does not hold offer 100 or 101 or 102 or 103 or 104 and 5 more, product 7"


def test_a_gate_shows_its_settings(world: World) -> None:
    """And nothing of the client."""
    assert repr(world.gate()) == "<AccessGate: fresh 60 s, stale 86400 s, budget 2 s>"


@pytest.mark.parametrize("url", ["http://x", "", "localhost:6379"])
def test_a_url_that_is_none_of_redis_is_refused(url: str) -> None:
    """As by the other stores in Redis."""
    with pytest.raises(ConfigurationError, match="the URL of Redis"):
        RedisCache(url)


def test_a_prefix_that_is_no_text_is_refused() -> None:
    """It begins every key."""
    prefix: Any = 7
    with pytest.raises(ConfigurationError):
        RedisCache("redis://localhost", prefix=prefix)
