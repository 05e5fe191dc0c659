"""An aiohttp application on one Kajabi client, which lives as long as the application does."""

import os
from collections.abc import AsyncIterator

import attrs
from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.webhooks import MemoryReplayGuard, PathSecrets, Receiver

from . import members, webhooks
from .errors import answer_errors
from .keys import API, RECEIVER

__all__ = ["create_app"]


def create_app() -> web.Application:
    """Give the application; nothing is opened before it runs."""
    app = web.Application(middlewares=[answer_errors])
    app.cleanup_ctx.append(_kajabi)
    app.add_routes([web.get("/health", _health), *members.routes, *webhooks.routes])
    return app


async def _kajabi(app: web.Application) -> AsyncIterator[None]:
    """Make the client before the first request, and close it after the last one was answered."""
    # Nobody waits longer than this for an answer of Kajabi's, however often it has to be asked.
    async with Kajabi.from_env(timeout=30) as api:
        app[API] = api
        app[RECEIVER] = Receiver(PathSecrets(os.environ["WEBHOOK_SECRET"]), MemoryReplayGuard(), api=api)
        yield


async def _health(request: web.Request) -> web.Response:
    """Tell that the process is alive and what its client has done; asks Kajabi nothing."""
    return web.json_response({"status": "ok", "stats": attrs.asdict(request.app[API].stats)})
