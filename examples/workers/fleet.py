"""Worker processes of one framework, which are killed in the middle of a chunk and replaced."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import attrs

from examples.workers.entitlements import Chunk
from examples.workers.sink import Sink

__all__ = ["FRAMEWORKS", "Fleet", "Kill"]

FRAMEWORKS: Final = ("taskiq", "arq", "celery")
_STOP_SECONDS: Final = 10.0


@attrs.frozen
class Kill:
    """A worker that was killed, and its half-done chunks."""

    worker: str
    half_done: tuple[str, ...]
    """Keys of its chunks of which some customers were written and some not."""


class Fleet:
    """Workers as a service manager would run them, each with its own name."""

    def __init__(self, framework: str, *, log: Path | None = None) -> None:
        module: Any = import_module(f"examples.workers.{framework}_worker")
        self._command: Sequence[str] = module.COMMAND
        self._log = log
        self._workers: dict[str, asyncio.subprocess.Process] = {}
        self._started = 0

    async def start(self) -> str:
        """Start another worker and return its name."""
        self._started += 1
        name = f"worker-{self._started}"
        with (self._log or Path(os.devnull)).open("ab") as log:
            self._workers[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, *self._command),
                env={**os.environ, "WORKER_NAME": name},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Its own process group, because a worker's child processes must die with it.
                start_new_session=True,
            )
        return name

    async def kill_in_mid_chunk(self, sink: Sink, chunks: Sequence[Chunk]) -> Kill:
        """Send SIGKILL to all processes of a worker that is in the middle of a chunk."""
        while True:
            for name in tuple(self._workers):
                if await _half_done(sink, chunks, name):
                    await self._end(name, signal.SIGKILL)
                    return Kill(name, await _half_done(sink, chunks, name))
            await asyncio.sleep(0.02)

    async def aclose(self) -> None:
        """Send SIGTERM to all workers, and SIGKILL to those that do not stop."""
        await asyncio.gather(*(self._end(name, signal.SIGTERM) for name in tuple(self._workers)))

    async def _end(self, name: str, signal_number: int) -> None:
        process = self._workers.pop(name)
        _signal_group(process.pid, signal_number)
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _signal_group(group: int, signal_number: int) -> None:
    try:
        os.killpg(group, signal_number)
    except ProcessLookupError:
        return


async def _half_done(sink: Sink, chunks: Sequence[Chunk], worker: str) -> tuple[str, ...]:
    """Return the keys of the partly written chunks that *worker* was the last to start."""
    latest_starts = dict(await sink.started())
    done = await sink.done()
    mine = [chunk for chunk in chunks if latest_starts.get(chunk.key) == worker and chunk.key not in done]
    return tuple([chunk.key for chunk in mine if 0 < len(await sink.missing(chunk.ids)) < len(chunk.ids)])
