"""The job on taskiq: ``taskiq worker examples.workers.taskiq_worker:broker``."""

from collections.abc import Sequence
from typing import Annotated, Any

from taskiq import Context, SimpleRetryMiddleware, TaskiqDepends, TaskiqEvents, TaskiqState
from taskiq_redis import RedisAsyncResultBackend

from examples.workers.entitlements import Chunk, worth_another_try
from examples.workers.process import Process, Settings
from examples.workers.taskiq_broker import HeldStreamBroker
from kajabi_async import KajabiError, Report, dumps, loads

COMMAND = (
    "-m",
    "taskiq",
    "worker",
    "examples.workers.taskiq_worker:broker",
    "--workers",
    "1",
    "--max-async-tasks",
    "2",
)
"""The arguments of the interpreter that start a worker; each of its ``--workers`` processes has a client."""

_TRIES = 5
_settings = Settings.from_env()

broker = HeldStreamBroker(
    _settings.redis_url, name="entitlements:taskiq", redeliver_seconds=_settings.redeliver_seconds
)
broker.with_result_backend(RedisAsyncResultBackend(_settings.redis_url, result_ex_time=24 * 3600))
broker.with_middlewares(SimpleRetryMiddleware(default_retry_count=_TRIES))


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def _open(state: TaskiqState) -> None:
    state.process = await Process.opened(_settings)


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def _close(state: TaskiqState) -> None:
    await state.process.aclose()


# taskiq acknowledges by default when the result is saved, so a killed worker has acknowledged nothing.
@broker.task(task_name="refresh_chunk", retry_on_error=True)
async def refresh_chunk(message: list[str], context: Annotated[Context, TaskiqDepends()]) -> str:
    """Run a chunk; return the text of its report, or of the error of the last attempt."""
    process: Process = context.state.process
    try:
        return await process.refresh(Chunk.from_message(message))
    except KajabiError as error:
        tried = 1 + int(context.message.labels.get("_retries", 0))
        if tried < _TRIES and worth_another_try(error):
            raise
        # Returned as a value: taskiq rebuilds errors only from their class and text.
        return dumps(error)


async def refresh_all(chunks: Sequence[Chunk], *, timeout: float) -> list[Report | KajabiError]:
    """Send the chunks and return their outcomes, each awaited for at most *timeout* seconds."""
    await broker.startup()
    try:
        tasks: list[Any] = [await refresh_chunk.kiq(chunk.message()) for chunk in chunks]  # type: ignore[call-overload]
        results: list[Any] = [await task.wait_result(check_interval=0.2, timeout=timeout) for task in tasks]
        return [loads(result.return_value) for result in results]
    finally:
        await broker.shutdown()
