"""``api.hooks.ensure``: exactly the hooks that an address needs."""

import asyncio
from typing import Any

import pytest

from kajabi_async import (
    Hook,
    InvalidArgumentError,
    Kajabi,
    ServerError,
    UnknownHookEventError,
    UnreadableAttributeError,
)
from kajabi_async.resources.account import Hooks, same_address, sort_hooks
from kajabi_async.testing import FakeKajabi
from tests.models.building import build
from tests.sending import Canned, context, resource

URL = "https://app.example.com/kajabi/s3cr3t"
OTHER = "https://app.example.com/kajabi/another"


async def standing(api: Kajabi, url: str = URL) -> list[tuple[str | None, str | None]]:
    hooks = await api.hooks.list().collect()
    return sorted(((hook.event, hook.resource_id) for hook in hooks if hook.target_url == url), key=str)


def writes(fake: FakeKajabi) -> list[str]:
    return [
        request.method for request in fake.requests if request.path.startswith("/v1/hooks") and request.method != "GET"
    ]


async def test_missing_hooks_are_created(kajabi_api: Kajabi) -> None:
    """One for each event, in the given order, even if an event is named twice."""
    ensured = await kajabi_api.hooks.ensure(URL, ["tag_added", "purchase", "tag_added"], site_id="1")
    assert [hook.event for hook in ensured.created] == ["tag_added", "purchase"]
    assert (ensured.kept, ensured.deleted, ensured.changed) == ((), (), True)
    assert await standing(kajabi_api) == [("purchase", None), ("tag_added", None)]


async def test_a_second_run_writes_nothing(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Correct hooks are kept and returned."""
    made = await kajabi_api.hooks.ensure(URL, ["tag_added", "purchase"], site_id="1")
    kajabi_fake.requests.clear()
    ensured = await kajabi_api.hooks.ensure(URL, ["purchase", "tag_added"], site_id="1")
    assert set(ensured.kept) == set(made.created)
    assert (ensured.created, ensured.deleted, ensured.changed) == ((), (), False)
    assert writes(kajabi_fake) == []


async def test_drift_is_repaired(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Duplicates, hooks of other events and hooks for one resource are deleted after the missing ones are created."""

    async def make(event: Any, **more: Any) -> Hook:
        return await kajabi_api.hooks.create(event=event, target_url=URL, site_id="1", **more)

    first = await make("purchase")
    second, unwanted, narrow = await make("purchase"), await make("tag_removed"), await make("tag_added", resource_id=5)
    kajabi_fake.requests.clear()
    ensured = await kajabi_api.hooks.ensure(URL, ["purchase", "tag_added"], site_id="1")
    assert ensured.kept == (first,)
    assert [hook.event for hook in ensured.created] == ["tag_added"]
    assert ensured.deleted == (second, unwanted, narrow)
    assert await standing(kajabi_api) == [("purchase", None), ("tag_added", None)]
    assert writes(kajabi_fake) == ["POST", "DELETE", "DELETE", "DELETE"]


async def test_no_events_unsubscribe(kajabi_api: Kajabi) -> None:
    """All hooks of the address are deleted."""
    await kajabi_api.hooks.ensure(URL, ["purchase", "tag_added"], site_id="1")
    ensured = await kajabi_api.hooks.ensure(URL, (), site_id="1")
    assert len(ensured.deleted) == 2
    assert await standing(kajabi_api) == []


async def test_hooks_of_other_addresses_and_sites_are_not_touched() -> None:
    """Not even one at the same address for another site."""
    async with (
        FakeKajabi(sites=2) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        await api.hooks.create(event="purchase", target_url=OTHER, site_id="1")
        await api.hooks.create(event="purchase", target_url=URL, site_id="2")
        before = await api.hooks.list().collect()
        made = await api.hooks.ensure(URL, ["purchase"], site_id="1")
        assert len(made.created) == 1
        assert (await api.hooks.ensure(URL, (), site_id="1")).deleted == made.created
        assert set(await api.hooks.list().collect()) == set(before)


async def test_hooks_of_other_sites_are_not_touched_although_they_are_listed() -> None:
    """The API document has no filter by site for this list, so it may contain all of them."""
    elsewhere = _hook("9") | {"relationships": {"site": {"data": {"type": "sites", "id": "2"}}}}
    send = Canned(lambda request: {"data": [elsewhere, _hook("10")]} if request.method == "GET" else b"")
    ensured = await Hooks(context(send)).ensure(URL, (), site_id="1")
    assert [hook.id for hook in ensured.deleted] == ["10"]
    assert [request.path for request in send.asked if request.method != "GET"] == ["/v1/hooks/10"]


async def test_all_pages_are_read(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """A hook on a later page is found and not created again."""
    for number in range(60):
        await kajabi_api.hooks.create(event="purchase", target_url=f"{OTHER}/{number}", site_id="1")
    expected = await kajabi_api.hooks.create(event="purchase", target_url=URL, site_id="1")
    assert expected not in tuple(await anext(kajabi_api.hooks.list(site_id="1").pages()))
    kajabi_fake.requests.clear()
    ensured = await kajabi_api.hooks.ensure(URL, ["purchase"], site_id="1")
    assert (ensured.kept, ensured.created) == ((expected,), ())
    assert writes(kajabi_fake) == []


async def test_the_site_of_the_client_is_the_default(kajabi_fake: FakeKajabi) -> None:
    """Without any site nothing is sent."""
    options: dict[str, Any] = {
        "client_id": kajabi_fake.client_id,
        "client_secret": kajabi_fake.client_secret,
        "base_url": kajabi_fake.base_url,
    }
    async with Kajabi(**options, site_id="1") as api:
        (made,) = (await api.hooks.ensure(URL, ["purchase"])).created
        assert made.site.id == "1"
    kajabi_fake.requests.clear()
    async with Kajabi(**options) as api:
        with pytest.raises(InvalidArgumentError, match=r"hooks\.ensure needs site_id="):
            await api.hooks.ensure(URL, ["purchase"])
    assert not kajabi_fake.requests


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        (["purchase", "tag_aded"], "Kajabi has no hook event 'tag_aded'; did you mean 'tag_added'?"),
        (["purchase.created"], "did you mean 'purchase'?"),
        ([None], "no hook event None"),
        ([["purchase"]], "no hook event"),
        ("purchase", r"write \['purchase'\]"),
        (7, "an iterable of events is needed, got int"),
    ],
)
async def test_unknown_events_are_refused(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi, events: Any, problem: str
) -> None:
    """Before anything is sent, with the closest known one."""
    with pytest.raises(InvalidArgumentError, match=problem.replace("?", r"\?")):
        await kajabi_api.hooks.ensure(URL, events, site_id="1")
    assert not kajabi_fake.requests


async def test_create_and_sample_suggest_the_nearest_event_too(kajabi_api: Kajabi) -> None:
    """The same names and the same error."""
    odd: Any = "order_create"
    with pytest.raises(UnknownHookEventError, match="did you mean 'order_created'") as caught:
        await kajabi_api.hooks.create(event=odd, target_url=URL, site_id="1")
    assert caught.value.nearest == "order_created"
    with pytest.raises(UnknownHookEventError):
        await kajabi_api.hooks.sample(odd)


@pytest.mark.parametrize("processes", [2, 5])
async def test_processes_at_once_end_with_one_hook_for_each_event(kajabi_api: Kajabi, processes: int) -> None:
    """Each may have created one; all keep the same hook, and one deleted by another process is no error."""
    runs = [kajabi_api.hooks.ensure(URL, ["purchase", "tag_added"], site_id="1") for _ in range(processes)]
    ensured = await asyncio.gather(*runs)
    assert await standing(kajabi_api) == [("purchase", None), ("tag_added", None)]
    assert sum(len(each.created) for each in ensured) <= 2 * processes
    assert not (await kajabi_api.hooks.ensure(URL, ["purchase", "tag_added"], site_id="1")).changed


def _hook(number: str, **attributes: Any) -> dict[str, Any]:
    message = {"event": "purchase", "target_url": URL, "resource_id": None, **attributes}
    return resource("hooks", number, relationships={"site": {"data": {"type": "sites", "id": "1"}}}) | {
        "attributes": message
    }


async def test_a_hook_that_another_process_made_first_wins() -> None:
    """The own hook, created between the two lists, is deleted; if that is already done, it is no error."""
    lists = iter([[], [_hook("9"), _hook("10")]])

    def respond(request: Any) -> Any:
        if request.method == "GET":
            return {"data": next(lists)}
        return {"data": _hook("10")} if request.method == "POST" else None

    send = Canned(respond)
    ensured = await Hooks(context(send)).ensure(URL, ["purchase"], site_id="1")
    assert ([hook.id for hook in ensured.kept], ensured.created) == (["9"], ())
    assert [hook.id for hook in ensured.deleted] == ["10"]
    assert [(request.method, request.path) for request in send.asked[2:]] == [
        ("GET", "/v1/hooks"),
        ("DELETE", "/v1/hooks/10"),
    ]


async def test_a_list_that_does_not_show_yet_what_was_made_makes_nothing_twice() -> None:
    """Created hooks count, even if the second list lacks them."""
    send = Canned(lambda request: {"data": _hook("10")} if request.method == "POST" else {"data": []})
    ensured = await Hooks(context(send)).ensure(URL, ["purchase"], site_id="1")
    assert [hook.id for hook in ensured.created] == ["10"]
    assert [request.method for request in send.asked] == ["GET", "POST", "GET"]


async def test_nothing_is_deleted_if_something_could_not_be_created(
    kajabi_fake: FakeKajabi, kajabi_api: Kajabi
) -> None:
    """The error is raised, and the next call repairs the rest."""
    await kajabi_api.hooks.create(event="tag_removed", target_url=URL, site_id="1")
    kajabi_fake.fail("hooks.create", status=503)
    with pytest.raises(ServerError):
        await kajabi_api.hooks.ensure(URL, ["purchase"], site_id="1")
    assert await standing(kajabi_api) == [("tag_removed", None)]
    await kajabi_api.hooks.ensure(URL, ["purchase"], site_id="1")
    assert await standing(kajabi_api) == [("purchase", None)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (URL, URL, True),
        ("https://A.example/Path", "https://a.EXAMPLE/Path", True),
        ("https://a.example", "https://a.example/", True),
        ("https://a.example:443/x", "https://a.example/x", True),
        ("http://a.example:80/x", "http://a.example/x", True),
        ("https://u:p@a.example/x", "https://u:p@A.example:443/x", True),
        ("https://a.example:8443/x", "https://a.example/x", False),
        ("http://a.example/x", "https://a.example/x", False),
        ("https://a.example/x", "https://a.example/X", False),
        ("https://a.example/x", "https://a.example/x/", False),
        ("https://a.example/x?s=1", "https://a.example/x?s=2", False),
        ("https://a.example/x?s=1", "https://a.example/x", False),
        ("https://u:p@a.example/x", "https://u:q@a.example/x", False),
        ("http://[", "http://[", True),
        ("http://[", "http://a.example", False),
        ("http://a:port/", "http://a/", False),
        (None, URL, False),
        ("", URL, False),
    ],
)
def test_addresses_are_compared_without_irrelevant_differences(one: str | None, other: str, same: bool) -> None:
    """Case of the host, default port and empty path are ignored; path and query are compared exactly."""
    assert same_address(one, other) is same


def test_a_hook_that_does_not_say_what_it_is_stays() -> None:
    """Without event or address a hook cannot be known as superfluous; without a resource id it applies to all."""
    hooks = [build(Hook, {"target_url": URL}), build(Hook, {"event": "purchase"}), build(Hook, {})]
    assert sort_hooks(hooks, [], url=URL, site_id="1").superfluous == ()
    whole = build(Hook, {"target_url": URL, "event": "purchase"})
    assert sort_hooks([whole], ["purchase"], url=URL, site_id="1").right == (whole,)


@pytest.mark.parametrize("name", ["event", "target_url", "resource_id"])
def test_hooks_are_not_sorted_by_what_cannot_be_read(name: str) -> None:
    """No hook is kept or deleted by a guess; other attributes may be unreadable."""
    attributes = {"event": "purchase", "target_url": URL, "resource_id": None, "created_at": "today"}
    hook = build(Hook, attributes)
    assert sort_hooks([hook], ["purchase"], url=URL, site_id="1").right == (hook,)
    with pytest.raises(UnreadableAttributeError, match=name):
        sort_hooks([build(Hook, {**attributes, name: [1]})], ["purchase"], url=URL, site_id="1")
