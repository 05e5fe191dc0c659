"""The user of the key, the sites it sees, and the version of the API."""

import json

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command


async def test_name_email_role_sites_and_source_are_shown(kajabi: Command, fake: FakeKajabi) -> None:
    """Names and values, with a tab between them in a pipe."""
    done = await kajabi("whoami")
    assert (done.code, done.err) == (0, "")
    message = dict(line.split("\t") for line in done.lines)
    assert message == {
        "name": "Robin Owner",
        "email": "robin.owner@example.com",
        "role": "OWNER",
        "sites": "1 Learning Site 1",
        "credentials": "from the environment",
        "API": fake.base_url,
    }


async def test_json_has_the_same_facts(kajabi: Command, fake: FakeKajabi) -> None:
    """With the sites as objects."""
    message = json.loads((await kajabi("whoami", "--json")).out)
    assert message["email"] == "robin.owner@example.com"
    assert [site["id"] for site in message["sites"]] == ["1"]
    assert (message["credentials"], message["base_url"]) == ("the environment", fake.base_url)


async def test_a_key_that_may_not_see_sites_shows_its_user(kajabi: Command, fake: FakeKajabi) -> None:
    """Its sites are null, not an empty list."""
    fake.denied_types = {"sites"}
    assert "not visible to this key" in (await kajabi("whoami")).out
    assert json.loads((await kajabi("whoami", "--json")).out)["sites"] is None


async def test_a_wrong_secret_is_rejected_as_everywhere(kajabi: Command) -> None:
    """With the source of the credentials."""
    done = await kajabi("whoami", KAJABI_CLIENT_SECRET="not-the-secret")
    assert (done.code, "They came from the environment" in done.err) == (3, True)


async def test_the_version_of_the_api_is_lines_with_tabs_in_a_pipe(kajabi: Command) -> None:
    """As everything that is printed there."""
    shown = await kajabi("version")
    assert (shown.code, "title\tKajabi API" in shown.lines) == (0, True)
