"""Traces reveal neither ids nor secrets."""

from collections.abc import Iterable

import pytest

from kajabi_async import NotFoundError, UnprocessableEntityError
from kajabi_async.testing import FakeKajabi
from tests.telemetry.recording import Recording

CUSTOMER = "918273645"
MISSING = "564738291"
EMAIL = "canary.person@example.org"
QUERY = "needle-in-a-query"


async def _everything_that_could_give_it_away(fake: FakeKajabi, recording: Recording) -> None:
    fake.add({"type": "customers", "id": CUSTOMER, "attributes": {"name": EMAIL, "email": EMAIL}})
    fake.fail("customers.get", status=503, body={"errors": [{"title": f"no {CUSTOMER}", "detail": EMAIL}]})
    async with recording.client(fake) as api:
        await api.customers.get(CUSTOMER)
        with pytest.raises(NotFoundError):
            await api.customers.get(MISSING)
        assert [each.id async for each in api.customers.list(search=EMAIL)] == [CUSTOMER]
        await api.request("GET", "/v1/customers", params={"filter[search]": QUERY})
        fake.fail("contacts.create", status=422, body={"errors": [{"title": "taken", "detail": EMAIL}]})
        with pytest.raises(UnprocessableEntityError):
            await api.contacts.create(email=EMAIL, name=EMAIL, site_id="1")
        fake.revoke_all()
        await api.customers.get(CUSTOMER)
        await api.revoke()


def _secrets(fake: FakeKajabi) -> Iterable[str]:
    yield from (CUSTOMER, MISSING, EMAIL, EMAIL.replace("@", "%40"), QUERY)
    yield from (fake.client_id, fake.client_secret)
    for issued in fake.tokens:
        yield from (text for text in (issued.access_token, issued.refresh_token) if text)


async def test_no_span_and_no_metric_holds_an_id_a_query_value_a_token_or_a_secret(kajabi_fake: FakeKajabi) -> None:
    """Nor an email of a body, nor the text of an error."""
    recording = Recording()
    await _everything_that_could_give_it_away(kajabi_fake, recording)
    sent = " ".join(f"{request}" for request in kajabi_fake.requests)
    assert CUSTOMER in sent
    assert MISSING in sent
    assert QUERY in sent
    exported = " ".join([*(span.to_json() for span in recording.spans), repr(recording.metrics())])
    assert "kajabi customers.list" in exported
    assert len(list(_secrets(kajabi_fake))) >= 10
    assert [secret for secret in _secrets(kajabi_fake) if secret in exported] == []
