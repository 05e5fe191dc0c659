"""The canary itself sings."""

import logging

import pytest

from kajabi_async import Kajabi, KajabiError
from kajabi_async.session.credentials import Secret
from kajabi_async.testing import FakeKajabi
from tests.canary import shown_secrets

TOKEN = "access." + "Ab1_-" * 6 + "xy"


def test_a_token_in_a_record_is_seen(secrets_shown: list[str]) -> None:
    """In the text, the arguments or the fields."""
    logging.getLogger("kajabi_async").debug("here it is: %s", TOKEN)
    logging.getLogger("kajabi_async").debug("here", extra={"token": TOKEN})
    logging.getLogger("kajabi_async").debug("hidden: %s", Secret(TOKEN))
    assert secrets_shown == ["access in a record of kajabi_async"] * 2
    secrets_shown.clear()


def test_a_token_in_an_error_is_seen(secrets_shown: list[str]) -> None:
    """In the text, or in an attribute."""
    KajabiError(f"with {TOKEN}").sent(attempts=1, maybe_applied=False)
    KajabiError("without").sent(attempts=1, maybe_applied=False)
    assert secrets_shown == ["access in a KajabiError"]
    secrets_shown.clear()


async def test_what_the_fake_gives_out_is_what_is_looked_for(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Otherwise nothing would ever be found."""
    await kajabi_api.customers.get("1")
    held = kajabi_api.session._tokens.held
    assert held is not None
    assert held.refresh is not None
    for secret in (held.access.reveal(), held.refresh.reveal(), kajabi_fake.client_secret):
        assert len(shown_secrets(secret)) == 1


@pytest.mark.parametrize("text", ["access.short", "inaccessible", "secret: none", repr(Secret(TOKEN))])
def test_other_words_are_no_secrets(text: str) -> None:
    """The word alone gives nothing away."""
    assert shown_secrets(text) == []
