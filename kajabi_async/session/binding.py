"""The state of a client (new, open, closing, closed), and the process and event loop that it belongs to."""

import asyncio
import os
from typing import Literal

from kajabi_async.errors import ClientClosedError, WrongLoopError

__all__ = ["Binding", "Process", "State"]

State = Literal["new", "open", "closing", "closed"]


class Process:
    """The current process; the system is asked again only after a fork."""

    number = os.getpid()

    @classmethod
    def note_fork(cls) -> None:
        """Ask the system again; called in the child."""
        cls.number = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Process.note_fork)


class Binding:
    """Keeps the event loop and the process of the first use, and the state of the client.

    The state only advances: from *new* to *open* with the first use, to *closing* with `close`, and to *closed* when
    everything is closed. Requests leave in the state *open* only.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self.state: State = "new"

    def check(self) -> asyncio.AbstractEventLoop:
        """Note the first use, and return the running loop.

        ClientClosedError once closing has begun, WrongLoopError on another event loop or in another process.
        """
        if self.state != "open":
            self._open()
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop, self._process = loop, Process.number
        elif self._process != Process.number:
            raise WrongLoopError("the client was made before a fork: make one in each process, after the fork")
        elif self._loop is not loop:
            raise WrongLoopError(
                "the client was used on another event loop before: make one client for each loop, such as one per "
                "asyncio.run() or per worker"
            )
        return loop

    def check_open(self) -> None:
        """Raise ClientClosedError or WrongLoopError if no request may leave now.

        The state may have changed since `check`. Called right before a session that was handed in sends, and by our own
        pool if it was closed meanwhile.
        """
        if self.state != "open" or self._process != Process.number:
            self.check()

    def owns_connections(self) -> bool:
        """Return whether to close the connections here: not in a forked child, nor after their loop was closed.

        WrongLoopError if their loop is another one that is still open.
        """
        if self.state in {"new", "closed"} or self._process != Process.number:
            return False
        assert self._loop is not None  # noqa: S101 - set with the state
        if self._loop.is_closed():
            return False
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoopError(
                "the client was used on another event loop, which is still open: close it there, "
                "such as by 'async with'"
            )
        return True

    def close(self) -> bool:
        """Start to close: from now on nothing is sent. Return whether this is the first call."""
        is_first = self.state in {"new", "open"}
        if is_first:
            self.state = "closing"
        return is_first

    def closed(self) -> None:
        """Note that everything is closed."""
        self.state = "closed"

    def _open(self) -> None:
        if self.state != "new":
            raise ClientClosedError("the client is closed: make another one, or keep it open while it is used")
        self.state = "open"
