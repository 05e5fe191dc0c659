"""The front door is a list, and the list is true."""

import inspect

import kajabi_async
from kajabi_async import errors


def test_all_names_everything_public_in_order() -> None:
    """Nothing more, nothing less."""
    public = {
        name
        for name in dir(kajabi_async)
        if not name.startswith("_") and not inspect.ismodule(getattr(kajabi_async, name))
    }
    assert set(kajabi_async.__all__) == public
    assert sorted(kajabi_async.__all__) == sorted(set(kajabi_async.__all__))


def test_every_error_can_be_caught_from_the_top() -> None:
    """Users never import from inside."""
    missing = [name for name in errors.__all__ if name.endswith("Error") and name not in kajabi_async.__all__]
    assert missing == []
