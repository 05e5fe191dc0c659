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


def test_only_warnings_reach_the_handlers_of_others() -> None:
    """For pytest to keep the lines of a request takes longer than the request."""
    package, root = logging.getLogger("kajabi_async"), logging.getLogger()
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    for logger in (package, root):
        logger.addHandler(handler)
    try:
        package.debug("left out")
        package.warning("kept")
    finally:
        for logger in (package, root):
            logger.removeHandler(handler)
    assert seen == ["kept", "kept"]
    assert [type(each) for each in package.handlers if "pytest" in type(each).__module__] == []


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
