"""``kajabi demo``: the main job against the embedded fake, without an account."""

from typing import Any, Final

from kajabi_async import Customer, Kajabi
from kajabi_async.cli.lookup import print_report
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.screens import Screen, silent_screen
from kajabi_async.output import print_json
from kajabi_async.testing import FakeKajabi

__all__ = ["demonstrate"]

_CUSTOMERS: Final = 2000
_SHOWN: Final = "123"
_LATENCY_SECONDS: Final = 0.02
_ALL_RELATIONS: Final = ("contact", "offers", "products")


async def demonstrate(screen: Screen, *, json: bool = False) -> None:
    """Look up one customer with its relations, follow a lazy link, then look up two thousand.

    Prints each step on *screen*, or, with *json*, one line on standard output at the end.
    """
    output = silent_screen() if json else screen
    facts: dict[str, Any] = {}
    async with (
        FakeKajabi(customers=_CUSTOMERS, latency=_LATENCY_SECONDS) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        output.heading("One customer, with its relations in the same answer")
        customer = await api.customers.get(_SHOWN, include=_ALL_RELATIONS)
        print_resource(output, customer)
        facts["customer"] = as_members(customer)
        output.heading("A relation that was not included, fetched when it is awaited")
        facts["requests_of_awaiting_a_relation"] = await _follow_a_link(output, api)
        output.heading(f"{_CUSTOMERS:,} customers, looked up {_LATENCY_SECONDS * 1000:.0f} ms away")
        facts["report"] = await _look_up_all(output, api)
        facts["token_requests"] = api.stats.token_requests
    if json:
        print_json(facts)


async def _follow_a_link(screen: Screen, api: Kajabi) -> dict[str, int]:
    customer: Customer = await api.customers.get(_SHOWN)
    before = api.stats.attempts
    contact = await customer.contact
    first = api.stats.attempts - before
    screen.line(f"await customer.contact -> {contact.email if contact else None}")
    screen.line(f"requests it cost: {first}")
    await customer.contact
    second = api.stats.attempts - before - first
    screen.line(f"requests it cost the second time: {second}")
    return {"first_time": first, "second_time": second}


async def _look_up_all(screen: Screen, api: Kajabi) -> dict[str, Any]:
    run = api.customers.get_many(range(1, _CUSTOMERS + 1), include=_ALL_RELATIONS)
    answered = 0
    with screen.progress() as bars:
        async for _ in run:
            answered += 1
            bars.show("looked up", completed=answered, total=_CUSTOMERS)
    report = await run.report()
    print_report(screen, report)
    screen.line(f"token requests, all in all: {api.stats.token_requests}")
    return report.to_dict()
