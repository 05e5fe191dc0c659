"""A server that is no bottleneck: it writes prepared bytes from a bare asyncio protocol, in a process of its own.

``python -m benchmarks.server --latency 0.02`` prints its port and serves until its standard input closes.
"""

import argparse
import asyncio
import json
import re
import sys
from typing import cast

from benchmarks.documents import ID_PLACE, listed, shown

TOKEN = json.dumps({"access_token": "bench", "refresh_token": "bench", "token_type": "Bearer", "expires_in": 604800})
REQUEST = re.compile(rb"(?:GET|POST) /v1/([a-z/_]+?)(?:/([0-9]+))?(?:\?(\S*))? HTTP")
NUMBER = re.compile(rb"page(?:%5B|\[)number(?:%5D|\])=([0-9]+)")
LENGTH = re.compile(rb"content-length: ([0-9]+)", re.IGNORECASE)


def answer(body: bytes, media_type: bytes = b"application/vnd.api+json") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (media_type, len(body))
    return head + body


class Shown:
    """A show answer, ready but for the id; ids are padded by nothing, so the length is counted anew."""

    def __init__(self, *, included: bool) -> None:
        self._parts = shown(included=included).split(ID_PLACE.encode())

    def for_id(self, resource_id: bytes) -> bytes:
        return answer(resource_id.join(self._parts))


class Answers:
    def __init__(self, pages: int) -> None:
        self._plain = Shown(included=False)
        self._included = Shown(included=True)
        self._count = pages
        self._token = answer(TOKEN.encode(), b"application/json")
        self._made: dict[int, bytes] = {}

    def to(self, request: bytes) -> bytes:
        match = REQUEST.match(request)
        if match is None or match[1] == b"oauth/token":
            return self._token
        if match[2]:
            shown_answer = self._included if b"include=" in (match[3] or b"") else self._plain
            return shown_answer.for_id(match[2])
        number = NUMBER.search(match[3] or b"")
        return self._page(int(number[1]) if number else 1)

    def _page(self, number: int) -> bytes:
        if number not in self._made:
            self._made[number] = answer(listed(number, self._count))
        return self._made[number]


class Connection(asyncio.Protocol):
    def __init__(self, answers: Answers, latency: float) -> None:
        self._answers = answers
        self._latency = latency
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
            self._reply(self._answers.to(head))

    def _reply(self, body: bytes) -> None:
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._write, body)
        else:
            self._write(body)

    def _write(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(body)


async def serve(latency: float, pages: int) -> None:
    loop = asyncio.get_running_loop()
    answers = Answers(pages)
    for number in range(1, pages + 1):
        answers.to(b"GET /v1/customers?page[number]=%d HTTP" % number)
    server = await loop.create_server(lambda: Connection(answers, latency), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--pages", type=int, default=10)
    given = parser.parse_args()
    try:
        import uvloop  # noqa: PLC0415 - faster where it is there
    except ImportError:
        asyncio.run(serve(given.latency, given.pages))
    else:
        uvloop.run(serve(given.latency, given.pages))


if __name__ == "__main__":
    main()
