"""Text from others is shown but never acts: on no terminal, in no pipe, by no command."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from kajabi_async.cli import read_commands
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.screens import Printed, on_pipe, on_terminal
from tests.every_resource import every_resource

EVIL: Final = (
    "Bob [/] [x] [link=https://evil.example]:smile:\x1b[35;7m\x1b]52;c;cm0=\x07\x1b[2J\x9b31m\x9d0;t\x9c\u202e\x85\x08y"
)
SHOWN: Final = r"Bob [/] [x] [link=https://evil.example]:smile:\x1b[35;7m\x1b]52;c;cm0=\x07\x1b[2J\x9b31m\x9d0;t\x9c\u202e\x85\x08y"
TEXTS: Final = (
    "name",
    "title",
    "email",
    "body",
    "order_number",
    "event",
    "target_url",
    "handle",
    "status",
    "state",
    "made_up",
)
WAYS: Final = pytest.mark.parametrize("way", [on_terminal, on_pipe])


@pytest_asyncio.fixture
async def hostile() -> AsyncIterator[FakeKajabi]:
    """A fake with one row of each type, in which every text is hostile."""
    async with FakeKajabi(customers=2) as fake:
        for cls in every_resource():
            attributes = dict.fromkeys(TEXTS, EVIL)
            fake.add({"type": cls.model.resource_type, "id": "1", "attributes": {**attributes, EVIL: EVIL}})
        yield fake


async def printed(way: Any, fake: FakeKajabi, *arguments: str, code: int = 0) -> Printed:
    settings = {
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
    }
    done: Printed = await asyncio.to_thread(way, arguments, settings, columns=400)
    assert done.acting == set()
    assert "\x1b[35;7m" not in done.out
    assert "\x1b]" not in done.out
    assert done.code == code, (done.out, done.err)
    return done


@WAYS
@pytest.mark.parametrize("cls", every_resource(), ids=lambda cls: cls.name)
async def test_lists_and_single_resources_show_it(cls: Any, way: Any, hostile: FakeKajabi) -> None:
    """Including markup, which is shown literally."""
    name = cls.name.replace("_", "-")
    site = ("--site-id", "1") if name == "payouts" else ()
    for form in ((), ("--json",)):
        listed = await printed(way, hostile, name, "list", "--limit", "1000", *site, *form)
        shown = await printed(way, hostile, name, "get", "1", *site, *form)
        if form:
            assert json.loads(shown.out)["made_up"] == EVIL
            rows = {row["id"]: row for row in map(json.loads, listed.out.splitlines())}
            assert rows["1"]["made_up"] == EVIL
        else:
            assert SHOWN in shown.out
            assert "made_up (extra)" in shown.out


@WAYS
@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_errors_show_it(form: tuple[str, ...], way: Any, hostile: FakeKajabi) -> None:
    """Titles, details, pointers and codes of the API: one line, which a terminal goes on with indented ones.

    So no text of the API can look like a line of the command.
    """
    error = {"title": EVIL, "detail": f"{EVIL}\nkajabi: forged", "source": {"parameter": EVIL}, "code": EVIL}
    for body in ({"errors": [error]}, {"error": EVIL, "error_description": EVIL}):
        hostile.fail("customers.get", status=404, body=body, times=1)
        done = await printed(way, hostile, "customers", "get", "1", *form, code=1)
        first, *others = (done.err or done.out).splitlines()
        assert all(line.startswith("  ") for line in others)
        assert not others or (way is on_terminal and not form)
        shown = " ".join([first, *map(str.strip, others)])
        assert SHOWN in (json.loads(first)["error"]["message"] if form else shown)


@WAYS
@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_whoami_me_version_and_doctor_show_it(form: tuple[str, ...], way: Any, hostile: FakeKajabi) -> None:
    """In attributes of the user, the sites and the API version."""
    user = {"data": {"type": "users", "id": "1", "attributes": dict.fromkeys((*TEXTS, "role_level"), EVIL)}}
    version = {
        "data": {"type": "version", "id": "1", "attributes": {"version": EVIL, "title": EVIL}},
        "jsonapi": {"version": EVIL},
    }
    hostile.answer_with("GET", "/v1/me", body=user)
    hostile.answer_with("GET", "/v1/version", body=version)
    hostile.fail("orders.list", status=400, body={"errors": [{"title": EVIL, "detail": EVIL}]}, times=None)
    for command in ("whoami", "me", "version", "doctor"):
        done = await printed(way, hostile, command, *form)
        if form:
            assert all(json.loads(line) for line in done.out.splitlines())
        else:
            assert SHOWN[:40] in done.out


@WAYS
async def test_writes_and_ids_show_it(way: Any, hostile: FakeKajabi) -> None:
    """In the answers of the API."""
    hostile.answer_with(
        "PATCH", "/v1/contacts/1", body={"data": {"type": "contacts", "id": "1", "attributes": {"name": EVIL}}}
    )
    assert SHOWN in (await printed(way, hostile, "contacts", "update", "1", "--set", "name=x")).out
    tags = {"data": [{"type": "contact_tags", "id": EVIL}]}
    hostile.answer_with("POST", "/v1/contacts/1/relationships/tags", body=tags)
    hostile.answer_with("GET", "/v1/contacts/1/relationships/tags", body=tags)
    done = await asyncio.to_thread(
        way,
        ("contacts", "add-tags", "1", "2"),
        {
            "KAJABI_BASE_URL": hostile.base_url,
            "KAJABI_CLIENT_ID": hostile.client_id,
            "KAJABI_CLIENT_SECRET": hostile.client_secret,
        },
    )
    assert done.acting == set()


@WAYS
async def test_what_was_typed_is_shown_back_and_does_not_act(way: Any, hostile: FakeKajabi) -> None:
    """In wrong options, ids and file names."""
    for arguments in (
        ("customers", "get", EVIL),
        ("customers", "list", f"--{EVIL}"),
        (EVIL,),
        ("contacts", "update", "1", "--set", EVIL),
    ):
        await printed(way, hostile, *arguments, code=2)
    await printed(way, hostile, "customers", "lookup", f"/nowhere/{EVIL}", code=2)
    await printed(way, hostile, "export", "customers", "--out", f"/nowhere/{EVIL}.csv", code=2)


async def test_a_stream_that_lacks_a_character_shows_its_escape(
    kajabi: Command, fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Latin-1 terminal ends no command, and JSON stays valid."""
    fake.add({"type": "customers", "id": "1", "attributes": {"name": "Łukasz 😀 é"}})
    shown: dict[tuple[str, ...], str] = {}
    for form in ((), ("--json",)):
        raw = io.BytesIO()
        with monkeypatch.context() as here:
            out = io.TextIOWrapper(raw, encoding="latin-1")
            here.setattr(sys, "stdout", out)
            done = await kajabi("customers", "get", "1", *form)
            out.flush()
        assert done.code == 0
        shown[form] = raw.getvalue().decode("latin-1")
    assert r"\u0141ukasz \U0001f600 é" in shown[()]
    assert json.loads(shown[("--json",)])["name"] == "Łukasz 😀 é"


async def test_a_bug_is_shown_and_its_text_does_not_act(hostile: FakeKajabi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python itself would print the text of an exception unescaped."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(EVIL)

    monkeypatch.setattr(read_commands, "print_rows", fail)
    done = await printed(on_terminal, hostile, "customers", "list", code=1)
    assert f"RuntimeError: {SHOWN}" in done.out
