"""``kajabi api``: any request to the API's own host."""

import asyncio
import json
from pathlib import Path

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.processes import settings
from tests.cli.screens import on_terminal


async def test_a_get_prints_the_answer_as_it_came(kajabi: Command) -> None:
    """With parameters, in the path too; GET is the method if there is none."""
    for command in (
        ("GET", "/v1/customers", "--param", "page[size]=2"),
        ("get", "/v1/customers?page[size]=2"),
        ("/v1/customers", "--param", "page[size]=2"),
    ):
        done = await kajabi("api", *command)
        assert (done.code, done.err) == (0, "")
        assert len(json.loads(done.out)["data"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET", "https://evil.example/v1/customers"), "the path must begin with /v1/"),
        (("GET", "//evil.example/v1/customers"), "the path must begin with /v1/"),
        (("GET", "/v1/../x"), "path must be a plain path"),
        (("GET", "/v1/customers@evil.example"), "path must be a plain path"),
        (("GET", "customers"), "the path must begin with /v1/"),
        (("FETCH", "/v1/customers"), "the method must be one of GET, POST, PATCH, PUT, DELETE"),
        (("GET",), "GET needs a path"),
        (("GET", "/v1/customers", "--param", "size"), "--param takes NAME=VALUE"),
        (("GET", "/v1/customers", "--field", "a=1"), "a GET has no body"),
        (("POST", "/v1/contacts", "--paginate"), "--paginate follows the pages of a GET"),
        (("POST", "/v1/contacts", "--field", "a=1", "--field", "a[b]=2"), "a has a value already"),
        (("POST", "/v1/contacts", "--field", "a=1", "--input", "-"), "--field and --input both set the body"),
        (("POST", "/v1/contacts", "--input", "-"), "--input - is not JSON"),
        (("POST", "/v1/contacts", "--input", "/nowhere/body.json"), "cannot read /nowhere/body.json"),
    ],
)
async def test_a_wrong_call_is_refused_before_anything_is_sent(
    arguments: tuple[str, ...], message: str, kajabi: Command, fake: FakeKajabi
) -> None:
    """Above all one that names another host."""
    done = await kajabi("api", *arguments, given="{")
    assert (done.code, done.out, message in done.err) == (2, "", True), done.err
    assert fake.counts.total() == 0


async def test_pages_are_followed_one_line_each(kajabi: Command, fake: FakeKajabi) -> None:
    """On the API's host, whatever host the links name."""
    done = await kajabi("api", "/v1/customers", "--param", "page[size]=25", "--paginate")
    pages = [json.loads(line) for line in done.lines]
    assert [len(page["data"]) for page in pages] == [25, 25, 10]
    fake.answer_with(
        "GET", "/v1/offers", body={"data": [], "links": {"next": "https://evil.example/x?page[number]=1"}}, times=None
    )
    round_ = await kajabi("api", "/v1/offers", "--paginate")
    assert (round_.code, "go round in circles" in round_.err) == (1, True)


async def test_the_exit_code_is_that_of_the_status(kajabi: Command, fake: FakeKajabi) -> None:
    """As for every other command."""
    assert (await kajabi("api", "/v1/customers/99999")).code == 1
    fake.fail("customers.list", status=422)
    assert (await kajabi("api", "/v1/customers")).code == 3
    fake.fail("customers.list", status=501)
    assert (await kajabi("api", "/v1/customers")).code == 4


async def test_a_body_comes_from_fields_or_a_file(kajabi: Command, fake: FakeKajabi, tmp_path: Path) -> None:
    """A write that another write undoes needs no --yes."""
    attributes = {"email": "zoe@example.com", "name": "Zoe", "subscribed": True}
    fields = (
        "data[type]=contacts",
        *(f"data[attributes][{n}]={json.dumps(v) if v is True else v}" for n, v in attributes.items()),
    )
    site = ("data[relationships][site][data][type]=sites", "data[relationships][site][data][id]=1")
    options = [part for field in (*fields, *site[:1]) for part in ("--field", field)]
    path = tmp_path / "body.json"
    site_data = {"site": {"data": {"type": "sites", "id": "1"}}}
    path.write_text(json.dumps({"data": {"type": "contacts", "attributes": attributes, "relationships": site_data}}))
    made = await kajabi("api", "POST", "/v1/contacts", "--input", str(path))
    assert made.code == 0, made.err
    contact = json.loads(made.out)["data"]
    assert contact["attributes"]["name"] == "Zoe"
    changed = await kajabi(
        *("api", "PATCH", f"/v1/contacts/{contact['id']}", *options[:2], "--field", "data[attributes][name]=Zoe Z"),
        *("--field", f'data[id]="{contact["id"]}"'),
    )
    sent = [each for each in fake.requests if each.method == "PATCH"]
    assert len(sent) == 1, changed.err


async def test_a_write_that_cannot_be_undone_needs_a_yes(kajabi: Command, fake: FakeKajabi) -> None:
    """Without a terminal it is refused, and nothing is sent; --yes does it."""
    path = f"/v1/contacts/{fake.contact_id_of('5')}"
    refused = await kajabi("api", "DELETE", path)
    assert (refused.code, "--yes does it" in refused.err, fake.counts["contacts.delete"]) == (2, True, 0)
    granted = await kajabi("api", "POST", f"{path}/relationships/offers", "--field", "data=1")
    assert (granted.code, fake.counts["contacts.POST.offers"]) == (2, 0)
    done = await kajabi("api", "DELETE", path, "--yes")
    assert (done.code, fake.counts["contacts.delete"]) == (0, 1)


@pytest.mark.parametrize(("answer", "deleted", "code"), [("y\n", 1, 0), ("\n", 0, 1), ("no\n", 0, 1)])
async def test_a_terminal_is_asked(answer: str, deleted: int, code: int, fake: FakeKajabi) -> None:
    """No is the default, and an error."""
    command = ("api", "DELETE", f"/v1/contacts/{fake.contact_id_of('5')}")
    shown = await asyncio.to_thread(on_terminal, command, settings(fake), typed=("[y/N] ", answer))
    assert (shown.code, fake.counts["contacts.delete"]) == (code, deleted), shown.out


async def test_a_terminal_gets_indented_json(fake: FakeKajabi) -> None:
    """A pipe gets one line."""
    shown = await asyncio.to_thread(on_terminal, ("api", "/v1/sites/1"), settings(fake))
    assert json.loads(shown.out)["data"]["id"] == "1"
    assert '\n  "data": {' in shown.out.replace("\r", "")
