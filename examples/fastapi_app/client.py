"""The client as a dependency: write ``api: Api`` in the signature of whatever needs it."""

from typing import Annotated

from fastapi import Depends, Request

from kajabi_async import Kajabi

__all__ = ["Api"]


async def _client(request: Request) -> Kajabi:
    api: Kajabi = request.state.api
    return api


Api = Annotated[Kajabi, Depends(_client)]
