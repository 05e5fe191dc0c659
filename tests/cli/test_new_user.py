"""The mistakes of the first five minutes with the command: each is told its cure, in one line."""

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
        ({"KAJABI_BASE_URL": "https://api.kajabi.com/v1"}, "KAJABI_BASE_URL is given without /v1"),
        ({"KAJABI_BASE_URL": "http://api.kajabi.com"}, "in clear text: use https\n"),
    ],
)
async def test_what_is_set_wrongly_is_told_its_cure(environment: dict[str, str], cure: str, kajabi: Command) -> None:
    """By the names of the variables, which is all that the command has."""
    done = await kajabi("customers", "get", "123", **environment)
    assert done.code in {2, 3}
    assert cure in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("customers", "list", "--emial", "ada"), "Did you mean --email-contains? `kajabi customers list --help`"),
        (("customers", "list", "--emial=ada"), "Did you mean --email-contains? `kajabi customers list --help`"),
        (("customers", "list", "--email-contain", "ada"), "Did you mean --email-contains? `kajabi customers list"),
        (("customers", "list", "--ofer-id", "4"), "Did you mean --has-offer-id"),
        (("customers", "list", "--zzz", "4"), "Unknown option: --zzz. `kajabi customers list --help` tells what"),
        (("customers", "list", "--sort", "nam"), "did you mean 'name'"),
        (("customers", "get", "1", "--include", "offer"), "did you mean 'offers'"),
        (("customers", "get", "1", "--fields", "nam"), "did you mean 'name'"),
        (("customers", "get", "99999"), "There is none, or this key cannot see it; a customer and the contact of the"),
        (("offers", "get", "99999"), "There is none, or this key cannot see it\n"),
        (("customers", "get", "a/b"), "'/' is not allowed"),
        (("customers", "lookup", "no-such-file"), "give a file with an id on each line, or - for standard input"),
        (("customers", "lookup", "123"), "one id is looked up with `kajabi customers get`"),
        (("customers", "lookup"), "`kajabi customers lookup --help` tells what there is"),
        (("customers", "lookup", "-", "--strategy", "scna"), 'Did you mean "scan"? `kajabi customers lookup --help`'),
        (("customer", "get", "1"), 'Did you mean "customers"? '),
        (("export", "customers", "--out", "customers.xls"), "end the file in .parquet"),
    ],
)
async def test_what_is_asked_wrongly_is_told_its_cure(arguments: tuple[str, ...], cure: str, kajabi: Command) -> None:
    """The nearest name, or the way that is meant."""
    done = await kajabi(*arguments)
    assert done.code in {1, 2}
    assert cure in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("customers", "lookup", "-", "--strategy", "scna"), ("customer", "get", "1"), ("custmers", "list")]
)
async def test_a_sentence_ends_once(arguments: tuple[str, ...], kajabi: Command) -> None:
    """Whatever it ends with: no '?.', no ', .', no '..'."""
    told = (await kajabi(*arguments)).err
    assert [wrong for wrong in ("?.", ", . ", ",. ", "....") if wrong in told] == []


async def test_an_api_that_is_not_there_leads_to_the_doctor(kajabi: Command, fake: FakeKajabi) -> None:
    """Who tells a name, a firewall and a certificate apart."""
    await fake.aclose()
    done = await kajabi("customers", "get", "1")
    assert (done.code, "`kajabi doctor` tells which step of the way there fails" in done.err) == (4, True)


async def test_whose_version_it_is_is_told_where_the_one_of_the_api_cannot_be_asked(kajabi: Command) -> None:
    """Somebody who wants that of the package needs no credentials."""
    done = await kajabi("version", **NOTHING_SET)
    assert (done.code, "`kajabi --version` tells that of this command" in done.err) == (2, True)
    assert (await kajabi("--version", **NOTHING_SET)).code == 0
