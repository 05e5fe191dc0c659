"""What a loop that was left leaves behind is ended wherever the garbage collector happens to run."""

import asyncio
import threading

from kajabi_async.concurrency import cancel_tasks, on_loop


def test_nothing_is_done_on_a_loop_that_is_closed() -> None:
    """Its tasks are gone, and calling into it would raise."""
    called: list[int] = []
    loop = asyncio.new_event_loop()
    loop.close()
    on_loop(loop, called.append, 1)
    cancel_tasks(loop, set())
    assert called == []


async def test_from_another_thread_the_loop_is_asked_to_do_it() -> None:
    """Tasks are not to be touched from there."""
    task = asyncio.create_task(asyncio.sleep(3600))
    thread = threading.Thread(target=cancel_tasks, args=(asyncio.get_running_loop(), {task}))
    thread.start()
    await asyncio.wait([task], timeout=5)
    thread.join()
    assert task.cancelled()
