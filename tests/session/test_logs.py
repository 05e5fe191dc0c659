"""What is written to the log, and what never is."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest

from kajabi_async import Kajabi, NotFoundError, RetryPolicy, ServerError, StoreUnavailableError
from kajabi_async.errors import ConnectionFailedError
from kajabi_async.session import ClientCredentials, SessionEvent, SessionManager
from kajabi_async.session.auth.keeper import TokenKeeper
from kajabi_async.session.auth.shared import SharedToken
from kajabi_async.session.auth.store import MemoryTokenStore, StoredToken
from kajabi_async.session.logs import BudgetLog, log_rate
from kajabi_async.session.retry import RetryBudget
from kajabi_async.testing import FakeKajabi
from tests.clocks import ManualClock
from tests.session.auth.test_token import LIFE, Issuer, grants

AT_ONCE = RetryPolicy(base_seconds=0.0)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Generator[pytest.LogCaptureFixture]:
    """Return the log of the package at level DEBUG."""
    with caplog.at_level(logging.DEBUG, logger="kajabi_async"):
        yield caplog


def _client(fake: FakeKajabi, **options: Any) -> Kajabi:
    settings: dict[str, Any] = {"base_url": fake.base_url, "retry": AT_ONCE, **options}
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, **settings)


def _lines(log: pytest.LogCaptureFixture, *levels: str) -> list[str]:
    return [
        record.getMessage() for record in log.records if record.name == "kajabi_async" and record.levelname in levels
    ]


def _record(log: pytest.LogCaptureFixture, start: str) -> dict[str, Any]:
    (found,) = [record for record in log.records if record.getMessage().startswith(start)]
    return vars(found)


_SILENT = """
import asyncio, logging
from kajabi_async import Kajabi, RetryPolicy, ServerError
from kajabi_async.testing import FakeKajabi

async def main():
    async with FakeKajabi() as fake, Kajabi(
        client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url,
        retry=RetryPolicy(base_seconds=0.0, budget=1.0),
        observers=[lambda event: 1 / 0],
    ) as api:
        fake.fail("customers.get", times=None)
        try:
            await api.customers.get("1")
        except ServerError:
            print("failed")

asyncio.run(main())
logging.getLogger("kajabi_async").error("even this")
"""


def test_a_program_that_does_not_configure_logging_sees_nothing() -> None:
    """Not even warnings, which Python would print by default."""
    done = subprocess.run([sys.executable, "-c", _SILENT], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("failed\n", "")


async def test_at_debug_there_is_a_line_for_each_attempt_wait_and_repeat(
    kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture
) -> None:
    """With the name of the operation, the status, the seconds and the bytes."""
    kajabi_fake.fail("customers.get")
    kajabi_fake.fail("customers.get", status=429, headers={"Retry-After": "2"})
    async with _client(kajabi_fake, clock=ManualClock()) as api:
        await api.customers.get("1")
    size = _record(log, "customers.get attempt 3: 200")["answer_bytes"]
    assert size > 100
    errors = [_record(log, f"customers.get attempt {number}: ")["answer_bytes"] for number in (1, 2)]
    lines = _lines(log, "DEBUG")
    waited = [line for line in lines if "waited" in line]
    assert [line for line in lines if line not in waited] == [
        "oauth.token attempt 1: 200 in 0.000 s",
        f"customers.get attempt 1: 503 in 0.000 s, {errors[0]} bytes",
        "customers.get attempt 1 failed (ServerError), again in 0.000 s",
        f"customers.get attempt 2: 429 in 0.000 s, {errors[1]} bytes",
        "customers.get attempt 2 failed (RateLimitError), again in 2.000 s",
        f"customers.get attempt 3: 200 in 0.000 s, {size} bytes",
    ]
    assert waited[-1].startswith("customers.get waited 2.")


async def test_records_have_fields_of_their_own(kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture) -> None:
    """For formatters that write JSON."""
    kajabi_fake.fail("customers.get")
    async with _client(kajabi_fake) as api:
        await api.customers.get("1")
    answered = _record(log, "customers.get attempt 2: 200")
    repeated = _record(log, "customers.get attempt 1 failed")
    named = ("operation", "attempt", "status", "error")
    assert [answered[name] for name in named] == ["customers.get", 2, 200, ""]
    assert (repeated["operation"], repeated["attempt"], repeated["error"]) == ("customers.get", 1, "ServerError")
    assert answered["operation_number"] == repeated["operation_number"]
    json.dumps({name: answered[name] for name in (*named, "seconds", "answer_bytes", "operation_number")})


async def test_a_failure_is_logged_in_one_line(kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture) -> None:
    """Also one without an answer."""
    async with _client(kajabi_fake, retry=RetryPolicy(max_attempts=1), clock=ManualClock()) as api:
        await api.me()
        log.clear()
        kajabi_fake.drop("customers.get", times=None)
        with pytest.raises(ConnectionFailedError):
            await api.customers.get("1")
    assert _lines(log, "DEBUG") == [
        "customers.get attempt 1: no answer (ConnectionFailedError) in 0.000 s, 0 bytes",
        "customers.get failed after 0.000 s and 1 attempt: ConnectionFailedError",
    ]


async def test_debug_can_be_turned_on_while_a_client_is_in_use(
    kajabi_fake: FakeKajabi, caplog: pytest.LogCaptureFixture
) -> None:
    """Once it is off again, no event is built."""
    async with _client(kajabi_fake) as api:
        with caplog.at_level(logging.INFO, logger="kajabi_async"):
            await api.customers.get("1")
        assert _lines(caplog, "DEBUG") == []
        with caplog.at_level(logging.DEBUG, logger="kajabi_async"):
            await api.customers.get("1")
    assert [line.partition(":")[0] for line in _lines(caplog, "DEBUG")] == ["customers.get attempt 1"]


def test_without_observers_and_debug_no_event_is_observed(caplog: pytest.LogCaptureFixture) -> None:
    """So observation costs nothing if it is not used."""
    seen: list[SessionEvent] = []
    credentials = ClientCredentials("id", "secret")
    silent = SessionManager(credentials=credentials)
    with caplog.at_level(logging.INFO, logger="kajabi_async"):
        assert silent._observer_now() is None
        assert SessionManager(credentials=credentials, observers=[seen.append])._observer_now() is not None
    with caplog.at_level(logging.DEBUG, logger="kajabi_async"):
        assert silent._observer_now() is not None


async def test_at_info_a_token_a_pause_and_the_rate_are_logged(
    kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture
) -> None:
    """The rate is logged once it is limited, and when it is cut."""
    clock = ManualClock()
    async with _client(kajabi_fake, clock=clock) as api:
        kajabi_fake.fail("customers.get", status=429, headers={"Retry-After": "2"})
        await api.customers.get("1")
        clock.advance(30.0)
        kajabi_fake.fail("customers.get", status=429)
        await api.customers.get("1")
    lines = _lines(log, "INFO")
    assert lines[0] == "fetched a token"
    assert lines[1] == "the API asks for a pause of 2.0 s (429)"
    assert lines[2].startswith("the API limits the rate: going on at ")
    assert lines[3].startswith("the rate is cut from ")
    assert len(lines) == 4
    pause = _record(log, "the API asks")
    assert (pause["operation"], pause["status"], pause["seconds"]) == ("customers.get", 429, 2.0)


async def test_a_pause_of_many_requests_is_one_line(kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture) -> None:
    """However many requests were under way."""
    async with _client(kajabi_fake) as api:
        await api.me()
        kajabi_fake.fail("customers.get", status=429, times=10, headers={"Retry-After": "0.2"})
        await asyncio.gather(*(api.customers.get("1") for _ in range(10)))
    assert api.stats.rate_limited == 10
    assert [line for line in _lines(log, "INFO") if "pause" in line] == ["the API asks for a pause of 0.2 s (429)"]
    assert len([line for line in _lines(log, "INFO") if "rate" in line]) == 1


async def test_a_spent_retry_budget_is_logged_once_for_an_outage(
    kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture
) -> None:
    """Its recovery is logged once, and so is the next outage."""
    async with _client(kajabi_fake, retry=RetryPolicy(base_seconds=0.0, budget=4.0)) as api:
        for _ in range(2):
            order = kajabi_fake.fail("customers.get", times=None)
            for _ in range(10):
                with pytest.raises(ServerError):
                    await api.customers.get("1")
            order.cancel()
            for _ in range(15):
                await api.customers.get("1")
    logged = [line for line in _lines(log, "INFO", "WARNING") if "budget" in line]
    spent = "the retry budget is spent: failures are final until requests succeed again"
    recovered = "the retry budget has recovered: failed requests are repeated again"
    assert logged == [spent, recovered] * 2


def test_a_budget_that_is_none_is_no_outage(log: pytest.LogCaptureFixture) -> None:
    """A budget of 0 is the user's choice."""
    budget = BudgetLog(RetryBudget(0.0), 0.0)
    for _ in range(3):
        budget.denied("customers.get")
        budget.earned()
    assert _lines(log, "INFO", "WARNING") == []


@pytest.mark.parametrize(("before", "after"), [(None, None), (10.0, None), (10.0, 10.0), (10.0, 9.9), (10.0, 12.0)])
def test_a_rate_that_was_not_cut_is_not_logged(
    before: float | None, after: float | None, log: pytest.LogCaptureFixture
) -> None:
    """The rate moves a little by itself all the time."""
    log_rate(before, after)
    assert log.records == []


class Store(MemoryTokenStore):
    """A store that fails while it is down."""

    down = False

    async def load(self, key: str) -> StoredToken | None:
        if self.down:
            raise StoreUnavailableError("down")
        return await super().load(key)


async def test_the_outage_of_a_token_store_and_its_end_are_logged(log: pytest.LogCaptureFixture) -> None:
    """Once for each outage, however many tokens are requested meanwhile."""
    clock = ManualClock()
    store = Store(monotonic=clock.monotonic)
    issuer = Issuer()
    issuer.clock = clock
    known = grants(issuer, clock)
    keeper = TokenKeeper(known, clock, SharedToken(store, "ab", clock, known))
    for down in (False, True, True, False, False, True, False):
        store.down = down
        await keeper.renewed()
        clock.advance(LIFE + 1)
    logged = [line.partition(",")[0] for line in _lines(log, "INFO", "WARNING") if "store" in line]
    down_line, up_line = "the token store cannot be used", "the token store can be used again"
    assert logged == [down_line, up_line, down_line, up_line]


async def test_a_renewal_ahead_that_fails_is_logged(log: pytest.LogCaptureFixture) -> None:
    """No caller waits for it, and the old token is still used."""
    failure = ConnectionFailedError("no route")
    clock, issuer = ManualClock(), Issuer("token-1", failure, failure)
    issuer.clock = clock
    keeper = TokenKeeper(grants(issuer, clock), clock)
    token = await keeper.renewed()
    clock.advance(LIFE * 0.95)
    assert keeper.live() == token
    while keeper._flight._flights:
        await asyncio.sleep(0)
    assert _lines(log, "WARNING") == ["the token could not be renewed ahead of its end: ConnectionFailedError"]


async def test_no_line_holds_an_id_a_query_value_a_token_or_a_secret(
    kajabi_fake: FakeKajabi, log: pytest.LogCaptureFixture
) -> None:
    """At any level, in text or fields; nor an email of a body, nor the text of an error answer."""
    customer, missing, email, query = "918273645", "564738291", "canary.person@example.org", "needle-in-a-query"
    kajabi_fake.add({"type": "customers", "id": customer, "attributes": {"name": email, "email": email}})
    errors = {"errors": [{"title": f"no {customer}", "detail": email}]}
    kajabi_fake.fail("customers.get", status=503, body=errors)
    kajabi_fake.fail("customers.list", status=429, body=errors)
    async with _client(kajabi_fake, clock=ManualClock()) as api:
        await api.customers.get(customer)
        with pytest.raises(NotFoundError):
            await api.customers.get(missing)
        assert [each.id async for each in api.customers.list(search=email)] == [customer]
        await api.request("GET", "/v1/customers", params={"filter[search]": query})
        with pytest.raises(NotFoundError):
            await api.request("GET", f"/v1/unheard/{missing}")
        kajabi_fake.revoke_all()
        await api.customers.get(customer)
        await api.revoke()
    sent = " ".join(f"{request}" for request in kajabi_fake.requests)
    assert all(secret in sent for secret in (customer, missing, query))
    lines = " ".join(f"{record.getMessage()} {vars(record)}" for record in log.records if record.name == "kajabi_async")
    assert "customers.list attempt 2: 200" in lines
    tokens = [text for issued in kajabi_fake.tokens for text in (issued.access_token, issued.refresh_token) if text]
    secrets = [customer, missing, email, email.replace("@", "%40"), query, kajabi_fake.client_secret, *tokens]
    assert [secret for secret in secrets if secret in lines] == []
