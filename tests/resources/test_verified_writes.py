"""Writes whose answer is lost: verified before they are retried, and never applied twice."""

import json
import random
from contextlib import suppress
from typing import Any

import pytest

from kajabi_async import (
    Contact,
    InvalidArgumentError,
    Kajabi,
    KajabiError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    UnprocessableEntityError,
)
from kajabi_async.resources.linkable import LinkageChange
from kajabi_async.resources.people import Contacts, Customers
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock
from tests.sending import Canned, context, linkage, resource

NOTHING: list[str] = []


def _lost(**given: Any) -> KajabiError:
    return ServerError(status=502, **given).sent(attempts=1, maybe_applied=True)


class Server:
    """Keeps the linkage of one contact; loses answers before or after applying a write."""

    def __init__(self, held: list[str], *fates: str) -> None:
        self.held = held
        self.fates = list(fates)
        self.written: list[tuple[str, list[str]]] = []

    def __call__(self, request: Any) -> Any:
        if request.method == "GET":
            fate = self.fates.pop(0) if self.fates and self.fates[0] == "look fails" else "fine"
            return ServerError(status=503) if fate != "fine" else linkage("offers", *self.held)
        ids = [each["id"] for each in json.loads(request.body)["data"]]
        self.written.append((request.method, ids))
        fate = self.fates.pop(0) if self.fates else "fine"
        if fate in {"fine", "lost after", "late"}:
            self._apply(request.method, ids)
        elif fate == "half":
            self._apply(request.method, ids[:1])
        if fate == "late":
            return RequestTimeoutError("late", phase="read", seconds=1.0).sent(attempts=1, maybe_applied=True)
        if fate == "silent":
            return RequestTimeoutError("late", phase="total", seconds=1.0).sent(attempts=1, maybe_applied=True)
        if fate == "refused":
            return UnprocessableEntityError(status=422)
        return _lost() if fate != "fine" else linkage("offers", *self.held)

    def _apply(self, method: str, ids: list[str]) -> None:
        if method == "POST":
            self.held += [each for each in ids if each not in self.held]
        elif method == "DELETE":
            self.held = [each for each in self.held if each not in ids]
        else:
            self.held = list(ids)


def _customers(server: Server, clock: ManualClock | None = None) -> Customers:
    return Customers(context(Canned(server), clock=clock or ManualClock()))


async def test_what_took_effect_is_returned_and_not_sent_again() -> None:
    """The server has a second to finish applying it."""
    server, clock = Server(["1"], "lost after"), ManualClock()
    assert await _customers(server, clock).grant_offers("5", ["2", "3"], verify=True) == ("1", "2", "3")
    assert server.written == [("POST", ["2", "3"])]
    assert clock.slept == [1.0]


async def test_what_did_not_take_effect_is_sent_again_and_no_more_of_it() -> None:
    """No email is sent twice for the half that was granted."""
    server = Server([], "half", "lost before", "fine")
    assert set(await _customers(server).grant_offers("5", ["2", "3"], verify=True)) == {"2", "3"}
    assert server.written == [("POST", ["2", "3"]), ("POST", ["3"]), ("POST", ["3"])]


async def test_it_is_sent_three_times_at_most() -> None:
    """Then the error is raised, with ``maybe_applied``."""
    server = Server([], *["lost before"] * 9)
    with pytest.raises(ServerError) as caught:
        await _customers(server).grant_offers("5", ["2"], verify=True)
    assert caught.value.maybe_applied
    assert len(server.written) == 3


@pytest.mark.parametrize("fate", ["silent"])
async def test_what_the_server_may_still_apply_is_not_sent_again(fate: str) -> None:
    """It could be applied right after it was verified."""
    server = Server([], fate)
    with pytest.raises(RequestTimeoutError):
        await _customers(server).grant_offers("5", ["2"], verify=True)
    assert len(server.written) == 1
    assert await _customers(Server([], "late")).grant_offers("5", ["2"], verify=True) == ("2",)


async def test_a_refusal_is_final_and_nothing_is_looked_up() -> None:
    """The server stated that nothing was applied."""
    server, clock = Server([], "refused"), ManualClock()
    with pytest.raises(UnprocessableEntityError):
        await _customers(server, clock).grant_offers("5", ["2"], verify=True)
    assert clock.slept == []


async def test_if_looking_fails_the_first_error_is_raised() -> None:
    """Whether the write was applied is unknown."""
    server = Server([], "lost after", "look fails")
    with pytest.raises(ServerError) as caught:
        await _customers(server).grant_offers("5", ["2"], verify=True)
    assert (caught.value.status, caught.value.maybe_applied, len(server.written)) == (502, True, 1)


async def test_without_verify_a_write_is_sent_once() -> None:
    """Whatever its outcome."""
    server = Server([], "lost before")
    with pytest.raises(ServerError):
        await _customers(server).grant_offers("5", ["2"])
    assert len(server.written) == 1


@pytest.mark.parametrize(
    ("verb", "held", "ids", "expected"),
    [
        ("revoke_offers", ["1", "2", "3"], ["2", "3"], {"1"}),
        ("replace_offers", ["1", "2"], ["2", "3"], {"2", "3"}),
        ("replace_offers", ["1", "2"], NOTHING, set[str]()),
        ("grant_offers", ["1"], ["2"], {"1", "2"}),
    ],
)
@pytest.mark.parametrize("fates", [["lost after"], ["half", "fine"], ["lost before", "lost after"]])
async def test_each_verb_ends_where_it_leads(
    verb: str, held: list[str], ids: list[str], expected: set[str], fates: list[str]
) -> None:
    """However often its answer is lost."""
    server = Server(list(held), *fates)
    assert set(await getattr(_customers(server), verb)("5", ids, verify=True)) == expected
    assert set(server.held) == expected


def test_a_change_names_only_what_is_left() -> None:
    """Added are missing ids, removed those still linked."""
    adds, takes = LinkageChange("POST", ("1", "2")), LinkageChange("DELETE", ("1", "2"))
    assert not adds.is_done(["2", "9"])
    assert adds.ids == ("1",)
    assert adds.is_done(["1"])
    assert not takes.is_done(["2", "9"])
    assert takes.ids == ("2",)
    assert takes.is_done(["9"])


async def test_a_contact_is_searched_for_by_its_email() -> None:
    """If found, it is the one created: a creation with a taken email fails."""
    made = resource("contacts", "7", attributes={"email": "Ada@example.com"})
    answers: list[Any] = [_lost(), {"data": [made]}]
    send = Canned(lambda _: answers.pop(0))
    contacts = Contacts(context(send, site_id="9", clock=ManualClock()))
    contact = await contacts.create(email="ada@example.com", verify=True)
    assert isinstance(contact, Contact)
    assert contact.id == "7"
    assert "filter%5Bsite_id%5D=9" in send.paths[1]
    answers = [_lost(), {"data": []}, {"data": made}]
    assert (await contacts.create(email="ada@example.com", verify=True)).id == "7"


async def test_a_contact_without_an_email_cannot_be_verified() -> None:
    """The call is refused before anything is sent."""
    send = Canned({})
    with pytest.raises(InvalidArgumentError, match="email="):
        await Contacts(context(send, site_id="9")).create(name="Ada", verify=True)
    assert not send.asked


@pytest.mark.parametrize("verify", [False, True])
async def test_no_write_takes_effect_twice_whatever_happens_to_its_answers(
    kajabi_fake: FakeKajabi, verify: bool
) -> None:
    """On sockets: counted by the server, over writes whose connection breaks before or after they took effect."""
    chance = random.Random(3)
    async with Kajabi(
        client_id=kajabi_fake.client_id,
        client_secret=kajabi_fake.client_secret,
        base_url=kajabi_fake.base_url,
        site_id="1",
        clock=ManualClock(),
        retry=RetryPolicy(budget=10_000),
    ) as api:
        made = 0
        for number in range(60):
            kajabi_fake.inject(
                chance.choice(["lost_answer", "reset_before_answer", "html_error"]), method="POST", times=1
            )
            email = f"new{number}@example.com"
            with suppress(KajabiError):
                await api.contacts.create(email=email, verify=verify)
            found = [row async for row in api.contacts.list(email_contains=email)]
            assert len(found) <= 1
            made += len(found)
        assert made == 60 if verify else made < 60
