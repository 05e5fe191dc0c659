"""A FastAPI application with one Kajabi client for its whole lifetime."""

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.webhooks import MemoryReplayGuard, PathSecrets, Receiver

from . import members, webhooks
from .client import Api
from .errors import answer_errors

__all__ = ["app"]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
    """Make the client before the first request, and close it after the last one is answered."""
    logging.basicConfig(level=logging.INFO)
    webhooks.keep_secret_out_of_access_log()
    # The limit for each call, retries included.
    async with Kajabi.from_env(timeout=30) as api:
        secrets = PathSecrets(os.environ["WEBHOOK_SECRET"])
        # Visitors wait for at most 15 seconds while Kajabi hangs, and usually not at all.
        gate = AccessGate(api, budget=15.0)
        yield {"api": api, "gate": gate, "receiver": Receiver(secrets, MemoryReplayGuard(), api=api)}


app = FastAPI(title="Members", lifespan=lifespan)
app.include_router(members.router)
app.include_router(webhooks.router)
answer_errors(app)


@app.get("/health")
async def health(api: Api) -> dict[str, Any]:
    """Return the statistics of the client, without a request to Kajabi."""
    return {"status": "ok", "stats": api.stats.to_dict()}
