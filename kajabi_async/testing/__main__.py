"""``python -m kajabi_async.testing``: the fake in its own process, until SIGTERM or SIGINT.

Faults can be set at the start, and read and changed later under ``/_fake/``: see ``kajabi_async.testing.control``.
"""

import argparse
import asyncio
import signal
from collections.abc import Sequence

from kajabi_async.output import flush, print_json
from kajabi_async.testing.fake import FakeKajabi
from kajabi_async.testing.faults.mix import FaultPlan
from kajabi_async.testing.faults.statuses import RETRY_AFTER_FORMS
from kajabi_async.testing.rate_limit import RequestLimit

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kajabi_async.testing", description="A fake of the Kajabi API.")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", type=int, default=0, help="0 for a free port")
    parser.add_argument("--customers", type=int, default=1000, help="the number of customers")
    parser.add_argument("--seed", type=int, default=7, help="the seed of the data")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of delay before each answer")
    parser.add_argument("--max-page-size", type=int, default=100, help="larger page sizes are clamped to this")
    limits = parser.add_argument_group("limits")
    limits.add_argument("--rate-limit", type=int, help="requests per window, for all clients together")
    limits.add_argument("--rate-window", type=float, default=1.0, help="length of the window in seconds")
    limits.add_argument("--retry-after", choices=RETRY_AFTER_FORMS, default="absent", help="Retry-After of a 429")
    limits.add_argument("--token-uses", type=int, help="requests after which a token expires")
    limits.add_argument("--token-lifetime", type=float, default=604_800.0, help="lifetime of a token in seconds")
    faults = parser.add_argument_group("faults")
    faults.add_argument("--fault", action="append", metavar="KIND", help="a kind or a group of faults; repeatable")
    faults.add_argument("--fault-rate", type=float, default=0.05, help="the share of requests to hit, 0 to 1")
    faults.add_argument("--fault-seed", type=int, default=7, help="the seed of the faults")
    faults.add_argument("--max-faults-in-a-row", type=int, help="faults in a row for one request")
    return parser


def _plan(options: argparse.Namespace) -> FaultPlan | None:
    if not options.fault:
        return None
    return FaultPlan(
        seed=options.fault_seed,
        rate=options.fault_rate,
        kinds=options.fault,
        max_in_a_row=options.max_faults_in_a_row,
    )


def _limit(options: argparse.Namespace) -> RequestLimit | None:
    if options.rate_limit is None:
        return None
    return RequestLimit(options.rate_limit, options.rate_window, retry_after=options.retry_after)


def _fake(options: argparse.Namespace) -> FakeKajabi:
    return FakeKajabi(
        customers=options.customers,
        seed=options.seed,
        latency=options.latency,
        max_page_size=options.max_page_size,
        rate_limit=_limit(options),
        faults=_plan(options),
        token_uses=options.token_uses,
        token_lifetime=options.token_lifetime,
    )


async def _serve(fake: FakeKajabi, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    await fake.start(host, port)
    try:
        announcement = {"base_url": fake.base_url, "client_id": fake.client_id, "client_secret": fake.client_secret}
        print_json(announcement)
        flush()
        await stopped.wait()
    finally:
        await fake.aclose()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print base_url, client_id and client_secret as one line of JSON on standard output, then serve until a signal."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        fake = _fake(options)
    except ValueError as error:
        parser.error(str(error))
    asyncio.run(_serve(fake, options.host, options.port))


if __name__ == "__main__":
    main()
