"""The job of changes on taskiq, once a minute: ``taskiq worker examples.workers.changes_worker:broker``.

Start any number of workers, and one ``taskiq scheduler examples.workers.changes_worker:scheduler``.
"""

import os
from contextlib import AsyncExitStack
from typing import Annotated, Final

from taskiq import Context, TaskiqDepends, TaskiqEvents, TaskiqScheduler, TaskiqState
from taskiq.schedule_sources import LabelScheduleSource

from examples.workers.changes import ChangesJob, forgetting
from examples.workers.process import Settings
from examples.workers.taskiq_broker import HeldStreamBroker
from kajabi_async import Kajabi
from kajabi_async.access import AccessGate, RedisCache
from kajabi_async.stores.redis import RedisTokenStore

COMMAND: Final = (
    *("-m", "taskiq", "worker", "examples.workers.changes_worker:broker"),
    *("--workers", "1", "--max-async-tasks", "1"),
)
"""The arguments of the interpreter that start a worker."""

_settings = Settings.from_env()

broker = HeldStreamBroker(_settings.redis_url, name="changes:taskiq", redeliver_seconds=_settings.redeliver_seconds)
scheduler = TaskiqScheduler(broker, sources=[LabelScheduleSource(broker)])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def _open(state: TaskiqState) -> None:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(ChangesJob.connect(_settings.redis_url))
        tokens = await stack.enter_async_context(RedisTokenStore(_settings.redis_url))
        cache = await stack.enter_async_context(RedisCache(_settings.redis_url))
        api = await stack.enter_async_context(Kajabi.from_env(token_store=tokens))
        gate = AccessGate(api, cache=cache)
        state.job = ChangesJob(
            api,
            redis,
            forgetting(gate, redis, "changes", _settings.worker),
            lease_seconds=float(os.environ.get("CHANGES_LEASE_SECONDS", "30")),
        )
        state.closing = stack.pop_all()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def _close(state: TaskiqState) -> None:
    await state.closing.aclose()


@broker.task(task_name="handle_changes", schedule=[{"cron": "* * * * *"}])
async def handle_changes(context: Annotated[Context, TaskiqDepends()]) -> int:
    """Handle what has changed since the last run of any worker."""
    job: ChangesJob = context.state.job
    return await job.run()
