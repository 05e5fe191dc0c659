"""``python -m kajabi_async.testing``: the fake in a process of its own, until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from kajabi_async.testing.server import FakeKajabi

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kajabi_async.testing", description="A fake of the Kajabi API.")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", type=int, default=0, help="0 for a free port")
    parser.add_argument("--customers", type=int, default=1000, help="how many customers there are")
    parser.add_argument("--seed", type=int, default=7, help="what the data grows from")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--max-page-size", type=int, default=100, help="larger pages are clamped to this")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    fake = FakeKajabi(
        customers=options.customers,
        seed=options.seed,
        latency=options.latency,
        max_page_size=options.max_page_size,
    )
    await fake.start(options.host, options.port)
    try:
        announcement = {"base_url": fake.base_url, "client_id": fake.client_id, "client_secret": fake.client_secret}
        sys.stdout.write(f"{json.dumps(announcement)}\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await fake.aclose()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal, after one line of JSON on standard output: base_url, client_id, client_secret."""
    asyncio.run(_serve(_parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
