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
"""What a worker is started with, after the interpreter; ``--workers`` processes have a client each."""

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


# Acknowledged when the result is saved, which is taskiq's default: a killed worker has acknowledged nothing.
@broker.task(task_name="refresh_chunk", retry_on_error=True)
async def refresh_chunk(message: list[str], context: Annotated[Context, TaskiqDepends()]) -> str:
    """Run a chunk; the text is that of its report, or of the error that ended the last try."""
    process: Process = context.state.process
    try:
        return await process.refresh(Chunk.from_message(message))
    except KajabiError as error:
        tried = 1 + int(context.message.labels.get("_retries", 0))
        if tried < _TRIES and worth_another_try(error):
            raise
        # As a value: taskiq rebuilds errors from their class and text alone.
        return dumps(error)


async def refresh_all(chunks: Sequence[Chunk], *, timeout: float) -> list[Report | KajabiError]:
    """Send the chunks and wait for what each came to, at most *timeout* seconds."""
    await broker.startup()
    try:
        tasks: list[Any] = [await refresh_chunk.kiq(chunk.message()) for chunk in chunks]  # type: ignore[call-overload]
        results: list[Any] = [await task.wait_result(check_interval=0.2, timeout=timeout) for task in tasks]
        return [loads(result.return_value) for result in results]
    finally:
        await broker.shutdown()
