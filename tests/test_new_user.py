"""The mistakes of the first five minutes with the library: each error says how to correct it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import ConfigurationError, Kajabi, KajabiError
from kajabi_async.export import export
from kajabi_async.testing import FakeKajabi
from tests.blocks import environment_of
from tests.clocks import ManualClock

# An untyped client: type checkers would reject most of these mistakes.
Mistake = Callable[[Any], Awaitable[object]]

COMPARE = "check client id and secret (KAJABI_CLIENT_ID, KAJABI_CLIENT_SECRET) under Settings, Security, User API Keys"

MISTAKES: list[tuple[Mistake, str]] = [
    (lambda api: api.customers.list(email_contain="x").first(), "did you mean 'email_contains'"),
    (lambda api: api.customers.list(emial="x").first(), "did you mean 'email_contains'"),
    (lambda api: api.customers.list(shoe_size="38").first(), "extra_filters="),
    (lambda api: api.customers.list(sort="nam").first(), "did you mean 'name'"),
    (lambda api: api.customers.list(limit=5).first(), "for the first rows write list(...).collect(limit=...)"),
    (lambda api: api.customers.list(top=5).first(), "for the first rows write list(...).collect(limit=...)"),
    (lambda api: api.customers.list(per_page=5).first(), "page_size= is the number of rows in a request"),
    (lambda api: api.customers.list(page=2).first(), ".pages() yields them whole, and resume_from= takes a .position"),
    (lambda api: api.customers.list(offset=50).first(), ".pages() yields them whole"),
    (lambda api: api.customers.list(order_by="name").first(), "sort= takes a key, with '-' in front for descending"),
    (lambda api: api.customers.list(expand="offers").first(), "include= takes the relations to load"),
    (lambda api: api.customers.list(select="name").first(), "fields= takes the attributes"),
    (lambda api: api.customers.list(filter={"name": "x"}).first(), "each filter is an argument of its own"),
    (lambda api: api.customers.list(ids=["1"]).first(), "get_many(ids) any number"),
    (lambda api: api.customers.get("1", include="offer"), "did you mean 'offers'"),
    (lambda api: api.customers.get("1", fields={"customers": ["nam"]}), "did you mean 'name'"),
    (lambda api: api.customers.get("a/b"), "'/' is not allowed"),
    (lambda api: api.customers.get("ada@example.com"), "customers and contacts have find_by_email and find_many"),
    (lambda api: api.customers.get(["1", "2"]), "the id of customers must be one string, got list: get_many takes"),
    (lambda api: _on_customer(api, api.customers.get), "must be a string, got Customer: pass its .id"),
    (lambda api: api.customers.get("99999"), "Couldn't find customers with id 99999"),
    (lambda api: api.customers.get_many(["1"], strategy="fast").report(), "one of lookup, scan, auto"),
    (lambda api: export(api.customers.list(), Path("customers.xls")), "end the file in .parquet"),
]

ROWS = "write 'async for row in api.customers.list(...)', or 'await api.customers.list(...).collect(limit=...)'"
OUTCOMES = "write 'async for lookup in run' for the outcomes, or 'await run.report()' for the totals alone"


async def _awaited(value: Any) -> object:
    return await value


async def _on_customer(api: Any, mistake: Callable[[Any], Awaitable[object]]) -> object:
    return await mistake(await api.customers.get("123"))


async def _with(api: Any) -> object:
    with type(api)(client_id="a", client_secret="b") as client:
        return client


MISUSES: list[tuple[Mistake, str]] = [
    (lambda api: _now(lambda: api.customers.list()[0]), "'await api.customers.list(...).first()'"),
    (lambda api: _now(lambda: api.customers.list()[:5]), "'await api.customers.list(...).collect(limit=...)'"),
    (lambda api: _now(lambda: len(api.customers.list())), "'await api.customers.list(...).count()'"),
    (lambda api: _now(lambda: bool(api.customers.list())), "'if await api.customers.list(...).first() is not None'"),
    (lambda api: _now(lambda: list(api.customers.list())), "write 'async for', not 'for'"),
    (lambda api: _now(lambda: next(api.customers.list())), "'await api.customers.list(...).first()'"),
    (lambda api: _now(lambda: list(api.customers.list().pages())), "write 'async for', not 'for'"),
    (lambda api: _awaited(api.customers.list()), ROWS),
    (lambda api: _awaited(api.customers.list().pages()), "'async for'"),
    (lambda api: _now(lambda: anext(api.customers.list())), "'await api.customers.list(...).first()'"),
    (lambda api: _now(lambda: "1" in api.customers.list()), ROWS),
    (lambda api: _now(lambda: "1" in api.customers.get_many(["1"])), OUTCOMES),
    (lambda api: _now(lambda: json.dumps(api.customers.list())), "read it with 'async for', then call .to_dict()"),
    (lambda api: _awaited(api.customers.get_many(["1"])), OUTCOMES),
    (lambda api: _now(lambda: api.customers.get_many(["1"])[0]), OUTCOMES),
    (lambda api: _now(lambda: len(api.customers.get_many(["1"]))), OUTCOMES),
    (lambda api: _now(lambda: bool(api.customers.get_many(["1"]))), OUTCOMES),
    (lambda api: _now(lambda: list(api.customers.get_many(["1"]))), "write 'async for', not 'for'"),
    (lambda api: _on_relation(api, "offers", len), "write len(await ...offers) or len(...offers.ids)"),
    (lambda api: _on_relation(api, "offers", lambda it: it[0]), "write (await ...offers)[0]"),
    (lambda api: _on_relation(api, "offers", lambda it: it.title), "[each.title for each in await ...offers]"),
    (lambda api: _on_relation(api, "offers", list), "write 'for each in await ...offers'"),
    (lambda api: _on_relation(api, "offers", aiter), "write 'for each in await ...offers'"),
    (lambda api: _on_relation(api, "offers", bool), "write 'if await ...offers' or 'if ...offers.ids'"),
    (lambda api: _on_relation(api, "offers", lambda it: "1" in it), "write 'in await ...offers'"),
    (lambda api: _on_relation(api, "offers", json.dumps), "await it, then call .to_dict() of each resource"),
    (lambda api: _on_relation(api, "contact", lambda it: it.name), "(await ...contact).name"),
    (lambda api: _on_relation(api, "contact", lambda it: it[0]), "write 'await ...contact', which is one resource"),
    (lambda api: _on_relation(api, "contact", len), "write 'await ...contact', which is one resource"),
    (lambda api: _on_relation(api, "contact", list), "write 'await ...contact', which is one resource"),
    (lambda api: _on_relation(api, "contact", bool), "write 'if await ...contact' or 'if ...contact.ids'"),
    (_with, "a client is opened with 'async with Kajabi(...) as api:'"),
    (lambda api: _now(lambda: api.custmers), "did you mean 'customers'?"),
    (lambda api: _now(lambda: api.customers["123"]), "'await api.customers.get(id)'"),
    (lambda api: _now(lambda: list(api.customers)), "'async for row in api.customers.list()'"),
    (lambda api: _now(lambda: aiter(api.customers)), "'async for row in api.customers.list()'"),
    (lambda api: _awaited(api.customers), "'async for row in api.customers.list()'"),
    (lambda api: _now(lambda: api.customers.all), "list() takes filters and is read with 'async for'"),
    (lambda api: _now(lambda: api.customers.get_manny), "did you mean 'get_many'?"),
    (lambda api: _now(lambda: api.customers.create), "its operations are find_by_email, find_many, get, get_many,"),
    (lambda api: _now(lambda: api.customers.count), "write api.customers.list(...).count"),
    (lambda api: _now(lambda: api.contacts.first), "write api.contacts.list(...).first"),
    (lambda api: _now(lambda: api.offers.collect), "write api.offers.list(...).collect"),
    (lambda api: _now(lambda: api.customers.list().total), "a list, which is fetched page by page, has no 'total'"),
]
"""What a type checker would reject as well."""

OPTIONS: list[tuple[str, str]] = [
    ("clientid", "did you mean 'client_id'?"),
    ("clientsecret", "did you mean 'client_secret'?"),
    ("api_key", "did you mean 'client_id'?"),
    ("secret", "did you mean 'client_secret'?"),
    ("baseurl", "did you mean 'base_url'?"),
    ("token", "the client fetches its token: pass client_id= and client_secret=, or credentials="),
    ("timeouts", "did you mean 'timeout'?"),
    ("max_retries", "did you mean 'retry'"),
    ("site", "did you mean 'site_id'?"),
    ("proxy", "http_session="),
    ("colour", "its options are client_id, client_secret, credentials, base_url"),
]

USES = [
    ("redis", "import kajabi_async.stores.redis", "redis"),
    ("filelock", "import kajabi_async.stores.file", "file"),
    ("opentelemetry", "import kajabi_async.telemetry", "otel"),
    ("pyarrow", "from kajabi_async.export.formats import arrow_module; arrow_module('parquet')", "arrow"),
]
"""A library, a program that needs it, and the extra that has it."""

WITHOUT = """
import sys, traceback

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in libraries:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

libraries, programs = sys.argv[1::2], sys.argv[2::2]
sys.meta_path.insert(0, Missing())
for program in programs:
    try:
        exec(program)
    except Exception:
        print(traceback.format_exc().splitlines()[-1], file=sys.stderr)
"""
"""Runs programs as if libraries were not installed, and prints the last line of the error of each."""


async def _get(api: Kajabi) -> object:
    return await api.customers.get("123")


async def _now(mistake: Callable[[], object]) -> object:
    return mistake()


async def _on_relation(api: Any, name: str, mistake: Callable[[Any], object]) -> object:
    return mistake(getattr(await api.customers.get("123"), name))


@pytest.mark.parametrize(("mistake", "cure"), MISUSES)
async def test_a_misuse_is_reported_with_what_to_write(mistake: Mistake, cure: str, kajabi_api: Kajabi) -> None:
    """As a TypeError or AttributeError, whose text has the code to write."""
    with pytest.raises((TypeError, AttributeError)) as caught:
        await mistake(kajabi_api)
    assert cure in str(caught.value)


@pytest.mark.parametrize(("option", "cure"), OPTIONS)
def test_a_misspelt_option_is_reported_with_the_nearest(option: str, cure: str) -> None:
    """Its value, which may be a secret, is not shown."""
    given: Any = {option: "a-canary-secret"}
    with pytest.raises(ConfigurationError) as caught:
        Kajabi(client_id="a", client_secret="b", **given)
    assert f"Kajabi() has no option {option!r}" in str(caught.value)
    assert cure in str(caught.value)
    assert "canary" not in str(caught.value)


FORGETFUL = """
import asyncio, gc, sys
from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi

async def main(is_dropped_inside):
    async with FakeKajabi() as fake:
        api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
        await api.customers.get("1")
        if is_dropped_inside:
            del api
            gc.collect()
            await asyncio.sleep(0)

for debug in (True, False):
    for is_dropped_inside in (True, False):
        asyncio.run(main(is_dropped_inside), debug=debug)
        gc.collect()
        print("=", file=sys.stderr)
"""


async def test_a_client_that_was_not_closed_is_reported_once() -> None:
    """With the line that made it, and without the two reports of aiohttp: while the loop runs, and after its end."""
    ended = await _run("-W", "always", "-c", FORGETFUL)
    *reports, rest = ended.split("=\n")
    assert (len(reports), rest) == (4, "")
    for each in reports:
        (warned,) = _warnings_in(each)
        assert "a Kajabi client, made at <string>:8, was dropped without being closed: use 'async with'" in warned
        assert "Unclosed" not in each


async def _run(*arguments: str) -> str:
    """Run Python, which must succeed, and return its standard error."""
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, *arguments], capture_output=True, text=True, check=True
    )
    return ended.stderr


def _warnings_in(report: str) -> list[str]:
    return [line for line in report.splitlines() if "Warning: " in line and "tracemalloc" not in line]


GLOBAL = """
import asyncio
from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi

async def main():
    global api
    async with FakeKajabi() as fake:
        api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
        await api.customers.get("1")

asyncio.run(main())
"""


@pytest.mark.parametrize(("switches", "reports"), [((), 0), (("-X", "dev"), 1)], ids=["by default", "in dev mode"])
async def test_a_global_client_that_is_open_at_the_end_is_reported_at_most_once(
    switches: tuple[str, ...], reports: int
) -> None:
    """By the warning of this package, which Python hides by default, and not by aiohttp on top."""
    ended = await _run(*switches, "-c", GLOBAL)
    warned = _warnings_in(ended)
    assert len(warned) == reports, ended
    assert all("a Kajabi client, made at <string>:9, was dropped without being closed" in line for line in warned)
    assert "Unclosed" not in ended


@pytest.mark.parametrize(
    ("environment", "cure"),
    [
        ({"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}, "set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in"),
        ({"KAJABI_CLIENT_ID": ""}, "set KAJABI_CLIENT_ID in the environment"),
        ({"KAJABI_CLIENT_SECRET": ""}, "set KAJABI_CLIENT_SECRET in the environment"),
        ({"KAJABI_CLIENT_SECRET": "wrong"}, COMPARE),
        ({"KAJABI_CLIENT_ID": "wrong"}, COMPARE),
        ({"KAJABI_BASE_URL": "api.kajabi.com"}, "such as https://api.kajabi.com"),
        ({"KAJABI_BASE_URL": "https://api.kajabi.com/v1"}, "without /v1"),
        ({"KAJABI_BASE_URL": "http://api.kajabi.com"}, "use https"),
    ],
)
async def test_a_wrong_setting_is_reported_with_its_cure(
    environment: dict[str, str], cure: str, kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, and does not show a wrong secret."""
    for name, value in {**environment_of(kajabi_fake), **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(KajabiError) as caught:
        async with Kajabi.from_env() as api:
            await _get(api)
    assert cure in str(caught.value)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(("mistake", "cure"), MISTAKES)
async def test_a_wrong_argument_is_reported_with_its_cure(mistake: Mistake, cure: str, kajabi_api: Kajabi) -> None:
    """The error has the nearest name, or the known ones."""
    with pytest.raises(KajabiError) as caught:
        await mistake(kajabi_api)
    assert cure in str(caught.value)


async def test_an_unreachable_api_is_reported_with_its_address(kajabi_fake: FakeKajabi) -> None:
    """With host and port, and that no connection was made, so nothing can have taken effect; not with a secret."""
    await kajabi_fake.aclose()
    port = kajabi_fake.base_url.rpartition(":")[2]
    with pytest.raises(KajabiError, match=rf"could not connect to 127\.0\.0\.1:{port}: ") as caught:
        async with Kajabi(
            client_id="a", client_secret="a-canary", base_url=kajabi_fake.base_url, clock=ManualClock()
        ) as api:
            await _get(api)
    assert "canary" not in str(caught.value)


async def test_an_extra_that_is_not_installed_is_named() -> None:
    """The last line of the error is the command that installs it."""
    printed = (await _run("-c", WITHOUT, *(part for each in USES for part in each[:2]))).splitlines()
    assert len(printed) == len(USES)
    for (*_, extra), line in zip(USES, printed, strict=True):
        assert f"pip install 'kajabi-async[{extra}]'" in line
