import pytest

from tests.access.world import World


@pytest.fixture
def world() -> World:
    """A server with nobody in it, and a clock that stands still."""
    return World()
