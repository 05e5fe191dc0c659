"""``kajabi demo``: the main job against the embedded fake, so that it can be seen without an account."""

from typing import Any, Final

import attrs
from rich.console import Console
from rich.progress import Progress

from kajabi_async import Customer, Kajabi
from kajabi_async.cli.lookup import lookup_progress, tell_report
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.terminal import PipeConsole, print_json
from kajabi_async.testing import FakeKajabi

__all__ = ["demonstrate"]

_CUSTOMERS: Final = 2000
_SHOWN: Final = "123"
_LATENCY_SECONDS: Final = 0.02
_ALL_RELATIONS: Final = ("contact", "offers", "products")


async def demonstrate(console: Console, *, json: bool = False) -> None:
    """Look one customer up with its relations, follow a lazy link, then look up two thousand.

    Tells of it on *console*, or, with *json*, in one line on standard output at the end.
    """
    told = PipeConsole(quiet=True) if json else console
    facts: dict[str, Any] = {}
    async with (
        FakeKajabi(customers=_CUSTOMERS, latency=_LATENCY_SECONDS) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        told.rule("One customer, with its relations in the same answer")
        customer = await api.customers.get(_SHOWN, include=_ALL_RELATIONS)
        print_resource(told, customer)
        facts["customer"] = as_members(customer)
        told.rule("A relation that was not included, fetched when it is awaited")
        facts["requests_of_awaiting_a_relation"] = await _follow_a_link(told, api)
        told.rule(f"{_CUSTOMERS:,} customers, looked up {_LATENCY_SECONDS * 1000:.0f} ms away")
        facts["report"] = await _look_up_all(told, api)
        facts["token_requests"] = api.stats.token_requests
    if json:
        print_json(facts)


async def _follow_a_link(console: Console, api: Kajabi) -> dict[str, int]:
    customer: Customer = await api.customers.get(_SHOWN)
    before = api.stats.attempts
    contact = await customer.contact
    first = api.stats.attempts - before
    console.print(f"await customer.contact -> {contact.email if contact else None}")
    console.print(f"requests it cost: {first}")
    await customer.contact
    second = api.stats.attempts - before - first
    console.print(f"requests it cost the second time: {second}")
    return {"first_time": first, "second_time": second}


async def _look_up_all(console: Console, api: Kajabi) -> dict[str, Any]:
    run = api.customers.get_many(range(1, _CUSTOMERS + 1), include=_ALL_RELATIONS)
    progress: Progress
    with lookup_progress(console) as progress:
        task = progress.add_task("looked up", total=_CUSTOMERS)
        async for _ in run:
            progress.advance(task)
    report = await run.report()
    tell_report(console, report)
    console.print(f"token requests, all in all: {api.stats.token_requests}")
    return attrs.asdict(report)
