"""What the tests of decoding share."""

from collections.abc import Generator

import pytest

from kajabi_async.decoding.decoder import DECODERS


@pytest.fixture
def nothing_learned() -> Generator[None]:
    """Forget what rows of other tests have taught, their names and those they lack, and what these teach."""
    DECODERS.clear()
    yield
    DECODERS.clear()
