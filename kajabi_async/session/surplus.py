"""What a server sends without being asked: the next request must not take it for its answer."""

import select
from collections.abc import Callable
from typing import Any

__all__ = ["await_nothing", "bytes_waiting", "close_spoiled", "watch_idle"]


def bytes_waiting(transport: Any) -> Callable[[int], object]:
    """Return what says, called with 0, whether bytes for *transport* have come that were not read yet.

    Where the system cannot say that, it is always no.
    """
    socket = None if transport is None else transport.get_extra_info("socket")
    descriptor = -1 if socket is None else socket.fileno()
    if descriptor < 0 or not hasattr(select, "poll"):
        return _nothing
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll.poll


def _nothing(_: int) -> None:
    return


def await_nothing(protocol: Any) -> None:
    """Have what comes by an idle connection from now on kept where its `should_close` looks, instead of parsed."""
    protocol._parser = None  # noqa: SLF001 - it has no public name


def watch_idle(connector: Any) -> None:
    """Do so for the connections that were given back last to a pool that is not ours."""
    for idle in getattr(connector, "_conns", {}).values():
        for protocol, _ in reversed(idle):
            if protocol._parser is None:  # noqa: SLF001 - it has no public name
                break
            await_nothing(protocol)


def close_spoiled(connector: Any, key: object) -> None:
    """Close the idle connections of a pool that is not ours by which something came that answers nothing."""
    for protocol, _ in getattr(connector, "_conns", {}).get(key, ()):
        if not protocol.should_close and not bytes_waiting(protocol.transport)(0):
            # This one is taken.
            return
        protocol.close()
