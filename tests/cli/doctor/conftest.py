"""A fake with its settings in the environment."""

import pytest

from kajabi_async.testing import FakeKajabi
from tests.cli.processes import settings


@pytest.fixture
def set_up(fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch) -> FakeKajabi:
    """The fake, with all settings of a client for it in the environment."""
    for name, value in settings(fake).items():
        monkeypatch.setenv(name, value)
    return fake
