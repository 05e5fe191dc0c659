"""Clients of a fake, as the tests of lookups make them."""

from typing import Any

from kajabi_async import Kajabi
from kajabi_async.testing import FakeKajabi


def client_of(fake: FakeKajabi, **options: Any) -> Kajabi:
    """Give a client that knows nothing yet."""
    return Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url, **options)
