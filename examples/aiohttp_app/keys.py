"""The keys of the objects that all requests share."""

from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.webhooks import Receiver

__all__ = ["API", "RECEIVER"]

API = web.AppKey("api", Kajabi)
RECEIVER = web.AppKey("receiver", Receiver)
