"""An aiohttp application with one Kajabi client for its whole lifetime."""

import os
from collections.abc import AsyncIterator

from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.webhooks import MemoryReplayGuard, PathSecrets, Receiver

from . import members, webhooks
from .access import members_only
from .errors import answer_errors
from .keys import API, GATE, RECEIVER

__all__ = ["create_app"]


def create_app() -> web.Application:
    """Return the application; nothing is opened before it runs."""
    app = web.Application(middlewares=[answer_errors, members_only])
    app.cleanup_ctx.append(_kajabi)
    app.add_routes([web.get("/health", _health), *members.routes, *webhooks.routes])
    return app


async def _kajabi(app: web.Application) -> AsyncIterator[None]:
    """Make the client before the first request, and close it after the last one is answered."""
    # The limit for each call, retries included.
    async with Kajabi.from_env(timeout=30) as api:
        app[API] = api
        # Visitors wait for at most 15 seconds while Kajabi hangs, and usually not at all.
        app[GATE] = AccessGate(api, budget=15.0)
        app[RECEIVER] = Receiver(PathSecrets(os.environ["WEBHOOK_SECRET"]), MemoryReplayGuard(), api=api)
        yield


async def _health(request: web.Request) -> web.Response:
    """Return the statistics of the client, without a request to Kajabi."""
    return web.json_response({"status": "ok", "stats": request.app[API].stats.to_dict()})
