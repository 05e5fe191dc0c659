import pytest

from tests.access.world import World


@pytest.fixture
def world() -> World:
    """An empty server, and a clock that stands still."""
    return World()
