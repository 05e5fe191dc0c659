"""``kajabi doctor`` as a user runs it."""

import asyncio
import json
import re

import pytest

from kajabi_async.cli.doctor import machine
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command
from tests.cli.doctor.findings import CHECKS
from tests.cli.processes import settings
from tests.cli.screens import on_terminal

STYLE = re.compile(r"\x1b\[[\d;]*m")


async def test_every_check_is_a_line_and_a_healthy_set_up_ends_with_0(kajabi: Command, fake: FakeKajabi) -> None:
    """On a terminal the output fits 80 columns, in a pipe there are tabs; it ends with the number of warnings."""
    done = await kajabi("doctor")
    assert (done.code, done.err) == (0, "")
    cells = [line.split("\t") for line in done.lines]
    assert tuple(each[1] for each in cells if each[0] in {"ok", "warn", "fail", "skip"}) == CHECKS
    assert done.lines[-1] == "0 failed, 1 to look at."
    shown = await asyncio.to_thread(on_terminal, ["doctor"], settings(fake), columns=80)
    lines = STYLE.sub("", shown.out).splitlines()
    checks = [line[6:24].strip() for line in lines if line[:4].strip() in {"ok", "warn", "fail", "skip"}]
    assert (shown.code, tuple(checks), lines[-1]) == (0, CHECKS, "0 failed, 1 to look at.")
    assert max(map(len, lines)) <= 80


async def test_where_nothing_is_to_be_looked_at_it_says_so(
    kajabi: Command, fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the official host, which the fake stands in for here."""
    monkeypatch.setattr(machine, "OFFICIAL_BASE_URL", fake.base_url)
    assert (await kajabi("doctor")).lines[-1] == "Nothing is wrong."


async def test_json_is_a_line_for_each_check(kajabi: Command) -> None:
    """Message, cure and details are separate members."""
    done = await kajabi("doctor", "--json")
    findings = [json.loads(line) for line in done.lines]
    assert tuple(finding["check"] for finding in findings) == CHECKS
    assert {tuple(finding) for finding in findings} == {("check", "status", "message", "cure", "details")}
    assert findings[0]["cure"] is None


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}, 2),
        ({"KAJABI_CLIENT_SECRET": "wrong"}, 3),
        ({"KAJABI_BASE_URL": "https://api.kajabi.invalid"}, 4),
        ({"KAJABI_SITE_ID": "77"}, 2),
        # The first failed check decides.
        ({"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": "", "KAJABI_BASE_URL": "https://api.kajabi.invalid"}, 2),
    ],
)
async def test_the_exit_code_is_that_of_the_first_failure(
    environment: dict[str, str], code: int, kajabi: Command
) -> None:
    """The codes are those of `kajabi --help`."""
    for form in ((), ("--json",)):
        assert (await kajabi("doctor", *form, **environment)).code == code


async def test_no_form_shows_a_secret(kajabi: Command, fake: FakeKajabi) -> None:
    """Neither id, secret nor token is in the output."""
    for form in ((), ("--json",)):
        done = await kajabi("doctor", *form)
        shown = done.out + done.err
        assert fake.client_id[:2] in shown
        assert fake.tokens
        hidden = [fake.client_id, fake.client_secret, *(pair.access_token for pair in fake.tokens)]
        assert [each for each in hidden if each in shown] == []
