"""What a loop that was left leaves behind is cancelled in whichever thread the garbage collector runs."""

import asyncio
import threading

from kajabi_async.concurrency import cancel_tasks, on_loop


def test_nothing_is_done_on_a_loop_that_is_closed() -> None:
    """Its tasks have ended, and calling into it would raise."""
    called: list[int] = []
    loop = asyncio.new_event_loop()
    loop.close()
    on_loop(loop, called.append, 1)
    cancel_tasks(loop, set())
    assert called == []


async def test_from_another_thread_the_loop_itself_cancels() -> None:
    """Tasks must not be touched from another thread."""
    task = asyncio.create_task(asyncio.sleep(3600))
    thread = threading.Thread(target=cancel_tasks, args=(asyncio.get_running_loop(), {task}))
    thread.start()
    await asyncio.wait([task], timeout=5)
    thread.join()
    assert task.cancelled()
