"""The canary itself works."""

import logging

import pytest

from kajabi_async import Kajabi, KajabiError
from kajabi_async.session.credentials import Secret
from kajabi_async.testing import FakeKajabi
from tests.canary import shown_secrets

TOKEN = "access." + "Ab1_-" * 6 + "xy"


def test_a_token_in_a_record_is_seen(secrets_shown: list[str]) -> None:
    """It is found in the text, the arguments and the fields."""
    logging.getLogger("kajabi_async").debug("here it is: %s", TOKEN)
    logging.getLogger("kajabi_async").debug("here", extra={"token": TOKEN})
    logging.getLogger("kajabi_async").debug("hidden: %s", Secret(TOKEN))
    assert secrets_shown == ["access in a record of kajabi_async"] * 2
    secrets_shown.clear()


@pytest.mark.parametrize(("logger", "expected"), [("", ["kept"]), ("kajabi_async", ["left out", "kept"])])
def test_only_warnings_reach_other_handlers_than_those_of_the_logger(logger: str, expected: list[str]) -> None:
    """For pytest to keep the lines of a request takes longer than the request."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(logger).addHandler(handler)
    try:
        logging.getLogger("kajabi_async").debug("left out")
        logging.getLogger("kajabi_async").warning("kept")
    finally:
        logging.getLogger(logger).removeHandler(handler)
    assert seen == expected


def test_a_token_in_an_error_is_seen(secrets_shown: list[str]) -> None:
    """It is found in the text and in an attribute."""
    KajabiError(f"with {TOKEN}").sent(attempts=1, maybe_applied=False)
    KajabiError("without").sent(attempts=1, maybe_applied=False)
    assert secrets_shown == ["access in a KajabiError"]
    secrets_shown.clear()


async def test_credentials_of_the_fake_are_recognized(kajabi_fake: FakeKajabi, kajabi_api: Kajabi) -> None:
    """Otherwise the canary would never find any."""
    await kajabi_api.customers.get("1")
    token = kajabi_api.session._tokens.live()
    assert token is not None
    assert token.refresh is not None
    for secret in (token.access.reveal(), token.refresh.reveal(), kajabi_fake.client_secret):
        assert len(shown_secrets(secret)) == 1


@pytest.mark.parametrize("text", ["access.short", "inaccessible", "secret: none", repr(Secret(TOKEN))])
def test_other_words_are_no_secrets(text: str) -> None:
    """The word alone reveals nothing."""
    assert shown_secrets(text) == []
