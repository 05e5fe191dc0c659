"""Where a client may be used: in one process, on one event loop, until it is closed."""

import asyncio
import os

from kajabi_async.errors import ClientClosedError, WrongLoopError

__all__ = ["Binding"]


class _Process:
    """The process this runs in, of which the system is asked only after a fork."""

    number = os.getpid()

    @classmethod
    def note_fork(cls) -> None:
        cls.number = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Process.note_fork)


class Binding:
    """Remembers the loop and the process of the first use."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._closed = False

    def check(self) -> asyncio.AbstractEventLoop:
        """Note the first use, and give the running loop.

        ClientClosedError after closing, WrongLoopError anywhere but where the first use was.
        """
        if self._closed:
            raise ClientClosedError("the client is closed: make another one, or keep it open while it is used")
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop, self._process = loop, _Process.number
        elif self._process != _Process.number:
            raise WrongLoopError("the client was made before a fork: make one in each process, after the fork")
        elif self._loop is not loop:
            raise WrongLoopError(
                "the client was used on another event loop before: make one client for each loop, such as one per "
                "asyncio.run() or per worker"
            )
        return loop

    def close(self) -> bool:
        """Note that the client is closed; tell whether it was still open."""
        was_open, self._closed = not self._closed, True
        return was_open
