"""``kajabi demo``: the jobs that the package is for, run against the embedded fake, without an account."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import attrs

from kajabi_async.cli.options import Json
from kajabi_async.cli.rendering import as_members
from kajabi_async.cli.running import run_to_exit_code
from kajabi_async.cli.screens import Screen, output_screen, silent_screen
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json
from kajabi_async.wording import counted

if TYPE_CHECKING:
    from kajabi_async import Customer, Kajabi, Report
    from kajabi_async.testing import FakeKajabi

__all__ = ["demo", "demonstrate"]

_CUSTOMERS: Final = 2000
_SHOWN: Final = "123"
_LATENCY_SECONDS: Final = 0.02
_WITHOUT_OFFER: Final = "2150002050"
"""A contact who holds no offer."""
_OFFER: Final = "2"
_PRODUCT: Final = "12"
_OUTAGE_SECONDS: Final = 0.3
_FAILING_IDS: Final = 500


@attrs.frozen
class _Demo:
    """The screen to print on, the fake, and its client."""

    screen: Screen
    fake: "FakeKajabi"
    api: "Kajabi"

    def code(self, text: str) -> None:
        """Print a line of the program."""
        self.screen.line(text, style="bold cyan")

    def result(self, text: str, *, since: int) -> int:
        """Print what the line returned, with the number of requests since *since*, and return that."""
        sent = self.api.stats.attempts - since
        self.screen.line(f"  {text}  [{counted(sent, 'request')}]")
        return sent


def demo(*, json: Json = False) -> int:
    """Show the main job against a fake of the API inside this process; needs no account.

    Examples:
      kajabi demo
    """
    return run_to_exit_code(lambda: demonstrate(output_screen(), json=json))


async def demonstrate(screen: Screen, *, json: bool = False) -> None:
    """Find one person, check access, look up two thousand, also through failures, and grant an offer.

    Prints each step on *screen*, or, with *json*, one line on standard output at the end.
    """
    # Imported here, as a refused argument needs neither.
    from kajabi_async import Kajabi  # noqa: PLC0415
    from kajabi_async.testing import FakeKajabi  # noqa: PLC0415

    async with (
        FakeKajabi(customers=_CUSTOMERS, latency=_LATENCY_SECONDS) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        demo = _Demo(silent_screen() if json else screen, fake, api)
        demo.screen.line("kajabi_async reads and writes Kajabi from asyncio programs. Here it asks a fake")
        demo.screen.line(f"of the API: {_CUSTOMERS:,} made-up customers, {_LATENCY_SECONDS * 1000:.0f} ms away.")
        facts = await _run(demo)
    if json:
        print_json(facts)


async def _run(demo: _Demo) -> dict[str, Any]:
    demo.screen.heading("Who is this, and do they have access?")
    customer = await _look_up(demo)
    awaiting = await _follow_a_link(demo)
    await _check_access(demo)
    demo.screen.heading(f"All {_CUSTOMERS:,} of them")
    report = await _look_up_all(demo)
    await _scan_all(demo)
    await _look_up_through_failures(demo)
    demo.screen.heading("Grant an offer, without the welcome mail")
    await _grant(demo)
    tokens = demo.api.stats.token_requests
    demo.screen.heading(f"{demo.api.stats.attempts:,} requests, {tokens} token")
    demo.screen.line("Next: `kajabi login` with your own key, or `kajabi fake` to try things out.")
    return {
        "customer": as_members(customer),
        "requests_of_awaiting_a_relation": awaiting,
        "report": report.to_dict(),
        "token_requests": tokens,
    }


async def _look_up(demo: _Demo) -> "Customer":
    demo.code('ALL = ["contact", "offers", "products"]')
    demo.code(f'customer = await api.customers.get("{_SHOWN}", include=ALL)')
    before = demo.api.stats.attempts
    customer = await demo.api.customers.get(_SHOWN, include=("contact", "offers", "products"))
    contact = await customer.contact
    city = contact.address_city if contact else None
    since = f"{customer.created_at:%Y-%m-%d}" if customer.created_at else "unknown"
    demo.result(f"{_text(customer.name)}, {_text(city)}, since {since}, paid {customer.net_revenue}", since=before)
    before = demo.api.stats.attempts
    demo.code("await customer.offers")
    offers = [f"{_text(offer.title)} for {_text(offer.price_description)}" for offer in await customer.offers]
    demo.result(", ".join(offers), since=before)
    demo.code("await customer.products")
    demo.result(", ".join(_text(product.title) for product in await customer.products), since=before)
    return customer


async def _follow_a_link(demo: _Demo) -> dict[str, int]:
    email = f"mateo.park.{_SHOWN}@example.com"
    demo.code(f'found = await api.customers.find_by_email("{email}")')
    before = demo.api.stats.attempts
    found = await demo.api.customers.find_by_email(email)
    if found is None:
        raise AssertionError(email)
    demo.result(f"customer {_text(found.id)}", since=before)
    costs: list[int] = []
    for code in ("contact = await found.contact", "contact = await found.contact  # once more"):
        before = demo.api.stats.attempts
        demo.code(code)
        contact = await found.contact
        costs.append(demo.result(f"contact {_text(contact.id if contact else None)}", since=before))
    return dict(zip(("first_time", "second_time"), costs, strict=True))


async def _check_access(demo: _Demo) -> None:
    from kajabi_async.access import AccessGate  # noqa: PLC0415 - as above

    demo.code(f'await AccessGate(api).check(customer_id="{_SHOWN}", products=["{_PRODUCT}"])')
    before = demo.api.stats.attempts
    access = await AccessGate(demo.api).check(customer_id=_SHOWN, products=[_PRODUCT])
    answer = "allowed" if access.allowed else "denied" if access.denied else "not known"
    demo.result(f"{answer}: {_text(access.because.partition(';')[0])}", since=before)


async def _look_up_all(demo: _Demo) -> "Report":
    demo.code("api.customers.get_many(ids, include=ALL)")
    before = demo.api.stats.attempts
    run = demo.api.customers.get_many(range(1, _CUSTOMERS + 1), include=("contact", "offers", "products"))
    answered = 0
    with demo.screen.progress() as bars:
        async for _ in run:
            answered += 1
            bars.show("looked up", completed=answered, total=_CUSTOMERS)
    report = await run.report()
    demo.result(_outcome(report), since=before)
    alone = _CUSTOMERS * _LATENCY_SECONDS
    demo.screen.line(f"  One after another they would take {alone:.0f} s, for the distance alone.")
    return report


async def _scan_all(demo: _Demo) -> None:
    demo.code('api.customers.get_many(ids, strategy="auto")')
    before = demo.api.stats.attempts
    report = await demo.api.customers.get_many(range(1, _CUSTOMERS + 1), strategy="auto").report()
    demo.result(_outcome(report), since=before)


async def _look_up_through_failures(demo: _Demo) -> None:
    demo.code(f"api.customers.get_many(ids[:{_FAILING_IDS}])  # while the server answers 503 for {_OUTAGE_SECONDS} s")
    outage = demo.fake.fail("customers.get", status=503, times=None)
    asyncio.get_running_loop().call_later(_OUTAGE_SECONDS, outage.cancel)
    before = demo.api.stats.attempts
    report = await demo.api.customers.get_many(range(1, _FAILING_IDS + 1)).report()
    demo.result(_outcome(report), since=before)


async def _grant(demo: _Demo) -> None:
    demo.code("await api.contacts.grant_offers(id, offers, send_customer_welcome_email=False)")
    before = demo.api.stats.attempts
    held = await demo.api.contacts.grant_offers(_WITHOUT_OFFER, [_OFFER], send_customer_welcome_email=False)
    mails = sum(effect.kind == "welcome_email" for effect in demo.fake.effects)
    demo.result(f"holds offer {', '.join(held)}; mails sent: {mails}", since=before)


def _outcome(report: "Report") -> str:
    rate = report.total / report.elapsed_seconds if report.elapsed_seconds else 0.0
    return (
        f"{report.found:,} found, {report.missing:,} missing, {report.failed:,} failed "
        f"in {report.elapsed_seconds:.2f} s, {rate:,.0f} a second"
    )


def _text(value: str | None) -> str:
    return escape_value(value or "-")
