"""``python -m examples.aiohttp_app``: serve until SIGTERM or SIGINT, then end the requests under way and leave."""

import logging
import os

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from .app import create_app


class AccessLog(AbstractAccessLogger):
    """Logs routes in place of addresses: that of the webhook holds its secret."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write one line for one request."""
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
        # As many may come in one instant without one of them having to knock again.
        backlog=2048,
    )
