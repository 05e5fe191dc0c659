"""Clients of a fake, for the tests of lookups."""

from typing import Any

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi


def client_of(fake: FakeKajabi, **options: Any) -> Kajabi:
    """Return a new client of *fake*."""
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, **options)
