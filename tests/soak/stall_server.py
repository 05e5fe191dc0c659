"""A small server of customers in its own process: counts requests, and takes incidents by line."""

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from aiohttp import web

_TOKEN_PATH = "/v1/oauth/token"


class _Server:
    def __init__(self) -> None:
        self.requested: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.token_requests = 0
        self._tokens: set[str] = set()
        self._refresh_tokens: set[str] = set()
        self._retry_after: int | None = None
        self._is_token_endpoint_gone = False
        self._runner: web.ServerRunner | None = None
        self._port = 0
        self._later: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True, backlog=1024).start()
        self._port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def incident(self, kind: str, seconds: float) -> None:
        if kind == "pause":
            self._retry_after = round(seconds)
        elif kind == "restart":
            await self.stop()
            self._after(seconds, self.start)
        elif kind == "token endpoint":
            self._tokens.clear()
            self._is_token_endpoint_gone = True
            self._after(seconds, self._token_endpoint_is_back)
        elif kind == "expired token":
            self._tokens.clear()
        elif kind == "revoked token":
            self._tokens.clear()
            self._refresh_tokens.clear()
        elif kind == "gone":
            await self.stop()
        elif kind == "back":
            await self.start()

    async def _token_endpoint_is_back(self) -> None:
        self._is_token_endpoint_gone = False

    def _after(self, seconds: float, act: Any) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await act()

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == _TOKEN_PATH:
            return await self._token(request)
        customer_id = request.path.rpartition("/")[2]
        self.requested[customer_id] += 1
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            self.rejected["401"] += 1
            return web.Response(status=401)
        if self._retry_after is not None:
            self.rejected["429"] += 1
            response = web.Response(status=429, headers={"retry-after": str(self._retry_after)})
            self._retry_after = None
            return response
        customer = {"type": "customers", "id": customer_id, "attributes": {"name": "Ada"}}
        return web.Response(text=json.dumps({"data": customer}), content_type="application/vnd.api+json")

    async def _token(self, request: web.BaseRequest) -> web.StreamResponse:
        self.token_requests += 1
        if self._is_token_endpoint_gone:
            return web.Response(status=503, text="<html>gone</html>", content_type="text/html")
        form = await request.post()
        if form.get("grant_type") == "refresh_token" and form.get("refresh_token") not in self._refresh_tokens:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token, refresh = f"token-{self.token_requests}", f"refresh-{self.token_requests}"
        self._tokens.add(token)
        self._refresh_tokens.add(refresh)
        return web.json_response({"access_token": token, "refresh_token": refresh, "expires_in": 604_800})

    def counts(self) -> dict[str, Any]:
        repeated = {each: times for each, times in self.requested.items() if times > 1}
        return {
            "ids": len(self.requested),
            "requests": self.requested.total(),
            "requested_again": len(repeated),
            "most": max(repeated.values(), default=1),
            "rejected": self.rejected,
            "token_requests": self.token_requests,
        }


async def main() -> None:
    server = _Server()
    _say({"base_url": await server.start()})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        message = json.loads(line)
        if message["do"] == "count":
            _say(server.counts())
        else:
            await server.incident(message["do"], message.get("seconds", 0.0))
            _say("done")


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
