"""Checks that send requests, against the fake."""

from email.utils import formatdate

import pytest

from kajabi_async.cli.doctor.findings import cure_for
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.signatures import resource_classes
from kajabi_async.errors import KajabiError
from kajabi_async.testing import FakeKajabi
from tests.cli.doctor.findings import CHECKS, examined, statuses
from tests.clocks import ManualClock

# A fake is not the official host, and has no TLS and no credentials file.
OF_A_FAKE = {"base URL": "warn", "credentials file": "skip", "TLS": "skip"}
AFTER_TOKEN = {"user": "skip", "site": "skip", "scopes": "skip"}


async def test_all_is_well_with_the_fake(set_up: FakeKajabi) -> None:
    """The version, the user, the site and every list are ok, and nothing is written."""
    findings = await examined()
    assert statuses(findings) == OF_A_FAKE
    assert findings["API"].details["jsonapi"] == "v1.1"
    assert findings["user"].details["email"] == "robin.owner@example.com"
    assert findings["scopes"].details["seen"] == sorted(cls.name for cls in resource_classes())
    assert {request.method for request in set_up.requests if "oauth" not in request.path} == {"GET"}
    assert set_up.counts["oauth.token"] == 1
    assert set_up.effects == []


async def test_lists_are_tried_with_one_row(set_up: FakeKajabi) -> None:
    """A check must not load the API; payouts have no page size (API document)."""
    await examined()
    sizes = {
        request.path: request.query.get("page[size]")
        for request in set_up.requests
        if request.operation and request.operation.endswith(".list") and request.operation != "sites.list"
    }
    assert {path for path, size in sizes.items() if size != ["1"]} == {"/v1/kajabi_payments_payouts"}
    assert len(sizes) == len(resource_classes()) - 1


async def test_a_wrong_secret_fails_with_where_to_look_and_skips_what_needs_it(
    set_up: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API itself is ok, and the secret is not shown."""
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", "not-the-secret")
    findings = await examined()
    assert statuses(findings) == {**OF_A_FAKE, **AFTER_TOKEN, "token": "fail"}
    assert findings["token"].exit_code is ExitCode.REFUSED
    assert "compare client id and secret in the environment" in findings["token"].cure
    assert "not-the-secret" not in repr(findings)
    assert set_up.counts["oauth.token"] == 1


async def test_a_failing_token_endpoint_is_not_reported_as_wrong_credentials(set_up: FakeKajabi) -> None:
    """The credentials may be right."""
    set_up.fail("oauth.token", status=503, times=None)
    findings = await examined()
    assert findings["token"].exit_code is ExitCode.UNREACHABLE
    assert "try again in a few minutes" in findings["token"].cure


async def test_a_token_that_is_rejected_later_fails_at_the_user(set_up: FakeKajabi) -> None:
    """A missing and a rejected token have different cures."""
    set_up.fail("me", status=401, times=None)
    findings = await examined()
    assert (findings["token"].status, findings["user"].status) == ("ok", "fail")
    assert "issued and then rejected" in findings["user"].cure
    assert findings["scopes"].status == "ok"


async def test_lists_the_key_has_no_scope_for_are_warnings(set_up: FakeKajabi) -> None:
    """A key may be restricted on purpose."""
    set_up.denied_types = {"orders", "transactions"}
    findings = await examined()
    scopes = findings["scopes"]
    assert scopes.status == "warn"
    assert scopes.details["denied"] == ["orders", "transactions"]
    assert "customers" in scopes.details["seen"]
    assert "permissions" in scopes.cure


async def test_a_list_that_fails_is_not_reported_as_a_missing_scope(set_up: FakeKajabi) -> None:
    """The warning has the error of the API."""
    set_up.fail("purchases.list", status=500, times=None)
    scopes = (await examined())["scopes"]
    assert (scopes.status, scopes.details["denied"]) == ("warn", [])
    assert "500" in scopes.details["failed"]["purchases"]


async def test_a_key_that_may_not_see_sites_still_has_its_lists_tried(set_up: FakeKajabi) -> None:
    """All but payouts, which need a site."""
    set_up.denied_types = {"sites"}
    findings = await examined()
    assert findings["site"].status == "warn"
    assert list(findings["scopes"].details["failed"]) == ["payouts"]


async def test_a_site_the_key_does_not_see_fails_with_those_it_sees(
    set_up: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether no site has that id or the site belongs to another account."""
    for wrong in ("77", "bad/id"):
        monkeypatch.setenv("KAJABI_SITE_ID", wrong)
        findings = await examined()
        assert findings["site"].status == "fail"
        assert findings["site"].exit_code is ExitCode.MISUSED
        assert "1 Learning Site 1" in findings["site"].cure
        assert findings["scopes"].status == "ok"


async def test_a_list_of_sites_that_fails_is_a_failure(set_up: FakeKajabi) -> None:
    """With the exit code of the error."""
    set_up.fail("sites.list", status=500, times=1)
    site = (await examined())["site"]
    assert (site.status, site.exit_code) == ("fail", ExitCode.UNREACHABLE)


async def test_a_site_the_key_sees_is_fine(set_up: FakeKajabi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visible site is matched by its id."""
    monkeypatch.setenv("KAJABI_SITE_ID", "1")
    assert (await examined())["site"].message == "KAJABI_SITE_ID is 1"


async def test_several_sites_without_a_choice_are_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cure is to set KAJABI_SITE_ID."""
    async with FakeKajabi(customers=5, sites=3) as fake:
        for name, value in {
            "KAJABI_BASE_URL": fake.base_url,
            "KAJABI_CLIENT_ID": fake.client_id,
            "KAJABI_CLIENT_SECRET": fake.client_secret,
        }.items():
            monkeypatch.setenv(name, value)
        site = (await examined())["site"]
    assert (site.status, len(site.details["sites"])) == ("warn", 3)
    assert "KAJABI_SITE_ID" in site.cure


async def test_without_credentials_the_way_to_the_api_is_tried_all_the_same(
    set_up: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version needs no token, and no token is requested."""
    monkeypatch.delenv("KAJABI_CLIENT_ID")
    monkeypatch.delenv("KAJABI_CLIENT_SECRET")
    findings = await examined()
    assert statuses(findings) == {**OF_A_FAKE, **AFTER_TOKEN, "credentials": "fail", "token": "skip"}
    assert set_up.counts["oauth.token"] == 0


async def test_an_api_that_is_not_there_skips_what_needs_it(set_up: FakeKajabi) -> None:
    """Checks are skipped if the port is closed."""
    await set_up.aclose()
    findings = await examined()
    after = dict.fromkeys(CHECKS[CHECKS.index("TLS") :], "skip")
    assert statuses(findings) == {**OF_A_FAKE, "connection": "fail", **after}


async def test_a_base_url_of_the_wrong_form_skips_all_that_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent."""
    monkeypatch.setenv("KAJABI_BASE_URL", "https://api.kajabi.com/v1")
    findings = await examined()
    after = dict.fromkeys(CHECKS[CHECKS.index("base URL") + 1 :], "skip")
    assert statuses(findings) == {"credentials": "fail", "credentials file": "skip", "base URL": "fail", **after}


async def test_a_version_that_fails_is_reported_and_the_rest_goes_on(set_up: FakeKajabi) -> None:
    """The API documents 503 for it."""
    set_up.fail("version", status=503, times=None)
    findings = await examined()
    assert (findings["API"].status, findings["clock"].status, findings["token"].status) == ("fail", "skip", "ok")
    assert set_up.counts["version"] == 1


async def test_a_web_page_in_place_of_the_api_is_reported(set_up: FakeKajabi) -> None:
    """Such as the login page of a hotel's network."""
    set_up.answer_with("GET", "/v1/version", body="<html>Welcome</html>", content_type="text/html", times=None)
    finding = (await examined())["API"]
    assert finding.status == "fail"
    assert "login page" in finding.cure


@pytest.mark.parametrize(
    ("ahead", "status"),
    [(0, "ok"), (30, "ok"), (-30, "ok"), (45, "warn"), (-45, "warn"), (301, "fail"), (-301, "fail")],
)
async def test_the_clock_is_compared_with_the_answers(ahead: int, status: str, set_up: FakeKajabi) -> None:
    """A difference above 30 s is a warning, above 5 min a failure."""
    clock = ManualClock()
    date = formatdate(clock.time() - ahead, usegmt=True)
    set_up.answer_with("GET", "/v1/version", body={"meta": {"version": "1.1.0"}}, headers={"Date": date}, times=None)
    finding = (await examined(clock=clock))["clock"]
    assert (finding.status, finding.details["seconds_ahead"]) == (status, ahead)
    assert finding.exit_code is (ExitCode.MISUSED if status == "fail" else ExitCode.DONE)
    if status != "ok":
        assert f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the API's" in finding.message


async def test_an_answer_from_a_cache_is_as_old_as_it_says(set_up: FakeKajabi) -> None:
    """The age header is added to the date (RFC 9111, section 5.1)."""
    clock = ManualClock()
    headers = {"Date": formatdate(clock.time() - 600, usegmt=True), "Age": "600"}
    set_up.answer_with("GET", "/v1/version", body={"meta": {}}, headers=headers, times=None)
    assert (await examined(clock=clock))["clock"].status == "ok"


async def test_an_answer_without_a_time_is_not_compared(set_up: FakeKajabi) -> None:
    """A missing or unreadable date skips the check."""
    set_up.answer_with("GET", "/v1/version", body={"meta": {}}, headers={"Date": "yesterday"}, times=None)
    assert (await examined())["clock"].status == "skip"


def test_every_error_has_a_cure() -> None:
    """Also an error of an unexpected type."""
    assert cure_for(KajabiError("something new"))
