"""The job on Celery: ``celery -A examples.workers.celery_worker worker``; each of its processes has an event loop."""

import asyncio
import gc
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from celery import Celery, bootsteps
from celery.signals import worker_process_init, worker_process_shutdown

from examples.workers.entitlements import Chunk, worth_another_try
from examples.workers.process import Process, Settings
from kajabi_async import KajabiError, Report, dumps, loads

T = TypeVar("T")

COMMAND = (
    *("-m", "celery", "-A", "examples.workers.celery_worker", "worker", "--concurrency", "1"),
    *("--without-gossip", "--without-mingle"),
)
"""The arguments of the interpreter that start a worker; each of its ``--concurrency`` processes has a client."""

_TRIES = 5
_settings = Settings.from_env()

app = Celery("entitlements", broker=_settings.redis_url, backend=_settings.redis_url)
app.conf.update(
    task_default_queue="entitlements:celery",
    # Acknowledge a message after the task, requeue it if the process dies, and fetch it only for a free process.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # If a whole worker dies, Redis requeues its messages after this time. Celery has no heartbeat, so set a time longer
    # than a chunk takes: a longer chunk runs twice at once, which only costs requests.
    broker_transport_options={
        "visibility_timeout": _settings.redeliver_seconds,
        # Otherwise a worker killed while it requeues messages would block the others for five minutes.
        "unacked_mutex_expire": max(1, round(_settings.redeliver_seconds)),
    },
    broker_connection_retry_on_startup=True,
    result_expires=24 * 3600,
)


class _Requeue(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Requeues expired messages every second; kombu before 5.7 does so every hundred seconds."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        """Start when the worker consumes."""

        def requeue() -> None:
            if consumer.task_consumer is not None:
                consumer.task_consumer.channel.qos.restore_visible(interval=1)

        self._repeated = consumer.timer.call_repeatedly(1.0, requeue)

    def stop(self, _: Any) -> None:
        """Stop with the worker."""
        self._repeated.cancel()


app.steps["consumer"].add(_Requeue)


class _Loop:
    """An event loop in its own thread, which also runs between tasks, so that connections stay usable."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kajabi_async", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


_here: dict[str, Any] = {}
"""The loop and the client of this process, made after the fork, which neither survives."""


@worker_process_init.connect
def _open(**_: Any) -> None:
    loop = _here["loop"] = _Loop()
    _here["process"] = loop.run(Process.opened(_settings))


@worker_process_shutdown.connect
def _close(**_: Any) -> None:
    loop: _Loop = _here["loop"]
    loop.run(_here["process"].aclose())
    loop.close()


@app.task(name="refresh_chunk", bind=True, max_retries=_TRIES - 1)
def refresh_chunk(self: Any, message: list[str]) -> str:
    """Run a chunk; return the text of its report, or of the error of the last attempt."""
    try:
        report: str = _here["loop"].run(_here["process"].refresh(Chunk.from_message(message)))
    except KajabiError as error:
        if self.request.retries < self.max_retries and worth_another_try(error):
            raise self.retry(countdown=1 + self.request.retries) from error
        # Returned as a value: Celery's JSON rebuilds errors only from their class and arguments.
        return dumps(error)
    return report


async def refresh_all(chunks: Sequence[Chunk], *, timeout: float) -> list[Report | KajabiError]:
    """Send the chunks and return their outcomes, each awaited for at most *timeout* seconds."""
    return await asyncio.to_thread(_refresh_all, chunks, timeout)


def _refresh_all(chunks: Sequence[Chunk], timeout: float) -> list[Report | KajabiError]:
    results = [refresh_chunk.apply_async([chunk.message()], task_id=chunk.key) for chunk in chunks]
    try:
        return [loads(result.get(timeout=timeout, interval=0.2)) for result in results]
    finally:
        # While Redis still runs: a result that is collected later would retry to unsubscribe for a minute.
        results.clear()
        gc.collect()
        app.close()
