"""``python -m examples.aiohttp_app``: serve until SIGTERM or SIGINT, then finish the current requests and exit."""

import logging
import os

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from .app import create_app


class AccessLog(AbstractAccessLogger):
    """Logs routes in place of addresses, because that of the webhook contains its secret."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write one line per request."""
        resource = request.match_info.route.resource if isinstance(request, web.Request) else None
        route = "no route" if resource is None else resource.canonical
        self.logger.info("%s %s %d %.3f s", request.method, route, response.status, time)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    web.run_app(
        create_app(),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "8080")),
        access_log_class=AccessLog,
        # Many clients may connect at the same instant.
        backlog=2048,
    )
