"""The mistakes of the first five minutes with the command: each is reported with its cure, in one line."""

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command

NOTHING_SET = {"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}


@pytest.mark.parametrize(
    ("environment", "cure"),
    [
        (NOTHING_SET, "set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in the environment, or store both with `kajabi"),
        ({"KAJABI_CLIENT_ID": ""}, "set KAJABI_CLIENT_ID too"),
        ({"KAJABI_CLIENT_SECRET": ""}, "set KAJABI_CLIENT_SECRET too"),
        ({"KAJABI_CLIENT_SECRET": "wrong"}, "check client id and secret"),
        ({"KAJABI_CLIENT_ID": "wrong"}, "check client id and secret"),
        ({"KAJABI_BASE_URL": "api.kajabi.com"}, "KAJABI_BASE_URL must be scheme and host, such as https://"),
        ({"KAJABI_BASE_URL": "https://api.kajabi.com/v1"}, "KAJABI_BASE_URL must end without /v1"),
        ({"KAJABI_BASE_URL": "http://api.kajabi.com"}, "in clear text: use https\n"),
    ],
)
async def test_wrong_settings_are_reported_with_their_cure(
    environment: dict[str, str], cure: str, kajabi: Command
) -> None:
    """By the names of the variables, since the command has no such arguments."""
    done = await kajabi("customers", "get", "123", **environment)
    assert done.code in {2, 3}
    assert cure in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("customers", "list", "--emial", "ada"), "Did you mean --email-contains? See `kajabi customers list --help`"),
        (("customers", "list", "--emial=ada"), "Did you mean --email-contains? See `kajabi customers list --help`"),
        (("customers", "list", "--email-contain", "ada"), "Did you mean --email-contains? See `kajabi customers list"),
        (("customers", "list", "--ofer-id", "4"), "Did you mean --has-offer-id"),
        (("customers", "list", "--zzz", "4"), "Unknown option: --zzz. See `kajabi customers list --help`"),
        (("customers", "list", "--sort", "nam"), "did you mean 'name'"),
        (("customers", "get", "1", "--include", "offer"), "did you mean 'offers'"),
        (("customers", "get", "1", "--fields", "nam"), "did you mean 'name'"),
        (("customers", "get", "99999"), "There is none, or this key cannot see it; a customer and the contact of the"),
        (("offers", "get", "99999"), "There is none, or this key cannot see it\n"),
        (("customers", "get", "a/b"), "'/' is not allowed"),
        (("customers", "get", "ada@example.com"), "`kajabi customers find ada@example.com` shows it"),
        (("contacts", "add-tags", "ada@example.com", "1"), "`kajabi contacts find ada@example.com` shows it"),
        (("offers", "get", "ada@example.com"), "'ada@example.com' is an email, and an id is needed"),
        (("customers", "get", "1", "2", "3"), "Unexpected arguments: 2 3. See `kajabi customers get --help`"),
        (("customers", "get"), "Missing argument: ID. See `kajabi customers get --help`"),
        (("customers", "list", "--limit"), "--limit needs a value. See `kajabi customers list --help`"),
        (("customers", "list", "--limit", "x"), "--limit takes a whole number, got 'x'."),
        (("export", "customers"), "Missing option: --out."),
        (("payouts", "list"), "payouts list needs --site-id or KAJABI_SITE_ID"),
        (("customers", "list", "--page-size", "0"), "--page-size must be a whole number of at least 1"),
        (("customers", "list", "--created-in-last", "-1"), "--created-in-last takes a whole number of days, got -1"),
        (
            ("orders", "list", "--created-at-gteq", "2024-01-01T10:00"),
            "kajabi: --created-at-gteq: the time 2024-01-01T10:00:00 has no zone: write 2024-05-01T16:00:00Z",
        ),
        (("offers", "list", "--title-cont", "a,b"), "kajabi: --title-cont: the server splits 'a,b' at its comma"),
        (("--limit", "5", "customers", "list"), "`kajabi customers list --limit`. See `kajabi customers list --help`"),
        (("--json", "whoami"), "Options stand behind the command: `kajabi whoami --json`."),
        (("customers", "lst"), 'Unknown command "lst". Did you mean "list"? See `kajabi customers --help`'),
        (("customers", "--limit", "3"), "A command is missing: one of find, get, list, lookup."),
        (("customers", "lookup", "-", "--concurrency", "0"), "--concurrency must be a whole number of at least 1"),
        (("fake", "--port", "70000"), "--port must be a whole number of at least 0 and at most 65535, got 70000"),
        (("fake", "--latency", "-1"), "--latency must be a number of seconds, 0 or more"),
        (("customers", "lookup", "no-such-file"), "name a file with an id on each line, or - for standard input"),
        (("customers", "lookup", "123"), "one id is looked up with `kajabi customers get`"),
        (("customers", "lookup"), "See `kajabi customers lookup --help`"),
        (
            ("customers", "lookup", "-", "--strategy", "scna"),
            'Did you mean "scan"? See `kajabi customers lookup --help`',
        ),
        (("customer", "get", "1"), 'Did you mean "customers"? '),
        (("export", "customers", "--out", "customers.xls"), "end the file in .parquet"),
    ],
)
async def test_wrong_arguments_are_reported_with_their_cure(
    arguments: tuple[str, ...], cure: str, kajabi: Command
) -> None:
    """The closest name, or the right command."""
    done = await kajabi(*arguments)
    assert done.code in {1, 2}
    assert cure in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("customers", "lookup", "-", "--strategy", "scna"), ("customer", "get", "1"), ("custmers", "list")]
)
async def test_a_sentence_ends_once(arguments: tuple[str, ...], kajabi: Command) -> None:
    """Whatever it ends with: no '?.', no ', .', no '..'."""
    message = (await kajabi(*arguments)).err
    assert message
    assert [wrong for wrong in ("?.", ", . ", ",. ", "....") if wrong in message] == []


@pytest.mark.usefixtures("fast_clock")
async def test_an_unreachable_api_leads_to_the_doctor(kajabi: Command, fake: FakeKajabi) -> None:
    """`kajabi doctor` distinguishes name, firewall and certificate."""
    await fake.aclose()
    done = await kajabi("customers", "get", "1")
    assert (done.code, "Run `kajabi doctor` to see which step on the way to the API fails" in done.err) == (4, True)


async def test_the_error_of_version_names_the_version_option(kajabi: Command) -> None:
    """The version of the package needs no credentials."""
    done = await kajabi("version", **NOTHING_SET)
    assert (done.code, "`kajabi --version` prints the command's own" in done.err) == (2, True)
    assert (await kajabi("--version", **NOTHING_SET)).code == 0
