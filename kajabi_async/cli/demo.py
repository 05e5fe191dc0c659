"""``kajabi demo``: the main job against the embedded fake, so that it can be seen without an account."""

from typing import Final

from rich.console import Console
from rich.progress import Progress

from kajabi_async import Customer, Kajabi
from kajabi_async.cli.lookup import lookup_progress, tell_report
from kajabi_async.cli.rendering import print_resource
from kajabi_async.testing import FakeKajabi

__all__ = ["demonstrate"]

_CUSTOMERS: Final = 2000
_SHOWN: Final = "123"
_LATENCY_SECONDS: Final = 0.02
_ALL_RELATIONS: Final = ("contact", "offers", "products")


async def demonstrate() -> None:
    """Look one customer up with its relations, follow a lazy link, then look up two thousand."""
    console = Console()
    async with (
        FakeKajabi(customers=_CUSTOMERS, latency=_LATENCY_SECONDS) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        console.rule("One customer, with its relations in the same answer")
        customer = await api.customers.get(_SHOWN, include=_ALL_RELATIONS)
        print_resource(console, customer)
        console.rule("A relation that was not included, fetched when it is awaited")
        await _follow_a_link(console, api)
        console.rule(f"{_CUSTOMERS:,} customers, looked up {_LATENCY_SECONDS * 1000:.0f} ms away")
        await _look_up_all(console, api)


async def _follow_a_link(console: Console, api: Kajabi) -> None:
    customer: Customer = await api.customers.get(_SHOWN)
    before = api.stats.attempts
    contact = await customer.contact
    console.print(f"await customer.contact -> {contact.email if contact else None}")
    console.print(f"requests it cost: {api.stats.attempts - before}")
    again = api.stats.attempts
    await customer.contact
    console.print(f"requests it cost the second time: {api.stats.attempts - again}")


async def _look_up_all(console: Console, api: Kajabi) -> None:
    run = api.customers.get_many(range(1, _CUSTOMERS + 1), include=_ALL_RELATIONS)
    progress: Progress
    with lookup_progress(console) as progress:
        task = progress.add_task("looked up", total=_CUSTOMERS)
        async for _ in run:
            progress.advance(task)
    tell_report(console, await run.report())
    console.print(f"token requests, all in all: {api.stats.token_requests}")
