"""The job on arq: ``arq examples.workers.arq_worker.WorkerSettings``."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from arq import Retry, create_pool
from arq.connections import RedisSettings
from arq.constants import in_progress_key_prefix
from arq.jobs import Job

from examples.workers.entitlements import Chunk, worth_another_try
from examples.workers.process import Process, Settings
from kajabi_async import KajabiError, Report, dumps, loads

COMMAND = ("-m", "arq", "examples.workers.arq_worker.WorkerSettings")
"""The arguments of the interpreter that start a worker."""

_QUEUE = "entitlements:arq"
_TRIES = 5
_settings = Settings.from_env()


async def open_process(ctx: dict[str, Any]) -> None:
    """Open the one client of this process."""
    ctx["process"] = await Process.opened(_settings)


async def close_process(ctx: dict[str, Any]) -> None:
    """Close it."""
    await ctx["process"].aclose()


async def refresh_chunk(ctx: dict[str, Any], message: list[str]) -> Report:
    """Run a chunk; awaiting the result raises the error of the last attempt."""
    process: Process = ctx["process"]
    async with _heartbeat(ctx):
        try:
            return _report(await process.refresh(Chunk.from_message(message)))
        except KajabiError as error:
            if ctx["job_try"] < _TRIES and worth_another_try(error):
                raise Retry(defer=ctx["job_try"]) from error
            raise


def _report(text: str) -> Report:
    report: Report = loads(text)
    return report


@asynccontextmanager
async def _heartbeat(ctx: dict[str, Any]) -> AsyncGenerator[None]:
    """Renew the job's mark while the job runs.

    arq gives a dead worker's job to another when its mark expires, ``job_timeout`` plus ten seconds after the start.
    This mark expires sooner, and is renewed.
    """
    key = in_progress_key_prefix + ctx["job_id"]

    async def renew() -> None:
        while True:
            await ctx["redis"].pexpire(key, round(_settings.redeliver_seconds * 1000))
            await asyncio.sleep(_settings.redeliver_seconds / 3)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])


def _serialized(value: Any) -> bytes:
    return dumps(value).encode()


class WorkerSettings:
    """The settings of arq's worker."""

    functions = (refresh_chunk,)
    queue_name = _QUEUE
    redis_settings = RedisSettings.from_dsn(_settings.redis_url)
    on_startup = open_process
    on_shutdown = close_process
    max_jobs = 2
    poll_delay = 0.2
    job_timeout = 600
    # More than _TRIES: arq also counts an attempt for every worker that dies.
    max_tries = 100
    job_serializer = staticmethod(_serialized)
    job_deserializer = staticmethod(loads)


async def refresh_all(chunks: Sequence[Chunk], *, timeout: float) -> list[Report | KajabiError]:
    """Send the chunks and return their outcomes, each awaited for at most *timeout* seconds.

    The key of the chunk is the id of the job, so a chunk that is still in the queue is not queued again.
    """
    pool = await create_pool(WorkerSettings.redis_settings, job_serializer=_serialized, job_deserializer=loads)
    try:
        keys = [chunk.key for chunk in chunks]
        for chunk in chunks:
            await pool.enqueue_job("refresh_chunk", chunk.message(), _job_id=chunk.key, _queue_name=_QUEUE)
        return [await _outcome(Job(key, pool, _QUEUE, _deserializer=loads), timeout) for key in keys]
    finally:
        await pool.aclose()


async def _outcome(job: Job, timeout: float) -> Report | KajabiError:
    try:
        report: Report = await job.result(timeout=timeout, poll_delay=0.2)
    except KajabiError as error:
        return error
    return report
