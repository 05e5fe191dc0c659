"""A server that is no bottleneck: it writes prepared bytes from a bare asyncio protocol, in its own process.

``python -m benchmarks.server --latency 0.02`` prints its port and serves until its standard input closes. It replaces
nginx if that is not installed, and for answers with a latency, which nginx cannot give; and it counts the tokens that
it issues.
"""

import argparse
import asyncio
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import cast

from benchmarks.documents import MEDIA_TYPE, TOKEN, listed, shown, shown_with_includes
from benchmarks.measuring import LOOPS

REQUEST = re.compile(rb"(?:GET|POST) /v1/([a-z/_]+?)(?:/([0-9]+))?(?:\?(\S*))? HTTP")
NUMBER = re.compile(rb"page(?:%5B|\[)number(?:%5D|\])=([0-9]+)")
LENGTH = re.compile(rb"content-length: ([0-9]+)", re.IGNORECASE)
ID_PLACE = "999999999999"


def answer(body: bytes, media_type: str = MEDIA_TYPE) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Answers:
    """All answers, complete except for an id."""

    def __init__(self, pages: int) -> None:
        self._plain = shown(ID_PLACE).encode().split(ID_PLACE.encode())
        self._with_includes = shown_with_includes(ID_PLACE).encode().split(ID_PLACE.encode())
        self._token = answer(TOKEN.encode(), "application/json")
        self._pages = [answer(listed(number, pages)) for number in range(1, pages + 1)]
        self._tokens_issued = 0

    def to(self, request: bytes) -> bytes:
        match = REQUEST.match(request)
        if match is None or match[1] == b"oauth/token":
            self._tokens_issued += 1
            return self._token
        if match[1] == b"tokens_issued":
            return answer(str(self._tokens_issued).encode(), "application/json")
        if match[1] == b"oauth/revoke":
            return answer(b"{}", "application/json")
        query = match[3] or b""
        if match[2]:
            return answer(match[2].join(self._with_includes if b"include=" in query else self._plain))
        number = NUMBER.search(query)
        return self._pages[int(number[1]) - 1 if number else 0]


class Punctual:
    """Writes answers after a fixed latency, exact to some microseconds; timers of event loops are a millisecond late,
    a fiftieth of 50 ms. It polls the clock during the last part of each wait, so it needs its own core.
    """

    POLL_SECONDS = 0.002

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, Callable[[bytes], None], bytes]] = deque()

    def __call__(self, write: Callable[[bytes], None], answer: bytes) -> None:
        if not self._latency:
            write(answer)
            return
        self._waiting.append((time.perf_counter() + self._latency, write, answer))
        if len(self._waiting) == 1:
            self._poll()

    def _poll(self) -> None:
        now = time.perf_counter()
        while self._waiting and self._waiting[0][0] <= now:
            _, write, answer = self._waiting.popleft()
            write(answer)
        if self._waiting:
            left = self._waiting[0][0] - now
            if left > self.POLL_SECONDS:
                self._loop.call_later(left - self.POLL_SECONDS, self._poll)
            else:
                self._loop.call_soon(self._poll)


class Connection(asyncio.Protocol):
    def __init__(self, answers: Answers, later: Punctual) -> None:
        self._answers = answers
        self._later = later
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = LENGTH.search(head) if head.startswith(b"POST") else None
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._later(self._write, self._answers.to(head))

    def _write(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(body)


async def serve(latency: float, pages: int) -> None:
    loop = asyncio.get_running_loop()
    answers = Answers(pages)
    later = Punctual(latency)
    server = await loop.create_server(lambda: Connection(answers, later), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--pages", type=int, default=1)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=[*LOOPS.values()][-1]) as runner:
        runner.run(serve(given.latency, given.pages))


if __name__ == "__main__":
    main()
