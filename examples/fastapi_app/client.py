"""The client as a dependency: add ``api: Api`` to the signature of a route."""

from typing import Annotated

from fastapi import Depends, Request

from kajabi_async import Kajabi

__all__ = ["Api"]


async def _client(request: Request) -> Kajabi:
    api: Kajabi = request.state.api
    return api


Api = Annotated[Kajabi, Depends(_client)]
