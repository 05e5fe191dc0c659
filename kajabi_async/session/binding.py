"""The life of a client: new, open, closing, closed; in one process, and on one event loop."""

import asyncio
import os
from typing import Literal

from kajabi_async.errors import ClientClosedError, WrongLoopError

__all__ = ["Binding", "Process", "State"]

State = Literal["new", "open", "closing", "closed"]


class Process:
    """The process this runs in, of which the system is asked only after a fork."""

    number = os.getpid()

    @classmethod
    def note_fork(cls) -> None:
        """Ask the system again; called in the child."""
        cls.number = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Process.note_fork)


class Binding:
    """Remembers the loop and the process of the first use, and how far the life of the client has come.

    It only ever goes on: from *new* to *open* with the first use, to *closing* when `close` is called, and to *closed*
    when nothing is left. Nothing leaves but in the state *open*: it is asked before each request takes a connection.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self.state: State = "new"

    def check(self) -> asyncio.AbstractEventLoop:
        """Note the first use, and return the running loop.

        ClientClosedError from the beginning of closing on, WrongLoopError anywhere but where the first use was.
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
        """Do nothing if a request may leave now; ClientClosedError or WrongLoopError if not.

        Asked right before bytes are sent: much may have happened since `check`.
        """
        if self.state != "open" or self._process != Process.number:
            self.check()

    def owns_connections(self) -> bool:
        """Return whether connections are to be closed here; not in a forked child, nor after the end of their loop.

        WrongLoopError if their loop is another one: closing them there would not be seen here.
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
        """Begin to close: from now on nothing is sent. Return whether this is the first time."""
        is_first = self.state in {"new", "open"}
        if is_first:
            self.state = "closing"
        return is_first

    def closed(self) -> None:
        """Note that nothing is left."""
        self.state = "closed"

    def _open(self) -> None:
        if self.state != "new":
            raise ClientClosedError("the client is closed: make another one, or keep it open while it is used")
        self.state = "open"
