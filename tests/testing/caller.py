"""A plain HTTP caller: a user of the fake without the SDK."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import attrs

from kajabi_async.testing import FakeKajabi
from kajabi_async.testing.json_shapes import is_array

JSON_API = "application/vnd.api+json"


@attrs.frozen
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.document["data"]

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.data]

    @property
    def included(self) -> list[tuple[str, str]]:
        return [(row["type"], row["id"]) for row in self.document["included"]]

    @property
    def error(self) -> Any:
        (error,) = self.document["errors"]
        assert error["status"] == str(self.status)
        return error


@attrs.frozen
class Caller:
    session: aiohttp.ClientSession
    token: str

    async def send(
        self, method: str, path: str, *, body: object = None, token: str | None = None, **options: Any
    ) -> Got:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}", "Accept": JSON_API}
        if body is not None:
            headers["Content-Type"] = JSON_API
            options["data"] = json.dumps(body)
        headers |= options.pop("headers", {})
        async with self.session.request(method, path, headers=headers, **options) as response:
            return Got(response.status, response.headers, await response.read())

    async def get(self, path: str, **options: Any) -> Got:
        return await self.send("GET", path, **options)

    async def post(self, path: str, body: object = None, **options: Any) -> Got:
        return await self.send("POST", path, body=body, **options)

    async def patch(self, path: str, body: object = None, **options: Any) -> Got:
        return await self.send("PATCH", path, body=body, **options)

    async def delete(self, path: str, body: object = None, **options: Any) -> Got:
        return await self.send("DELETE", path, body=body, **options)

    async def all_pages(self, path: str) -> list[Any]:
        found: list[Any] = []
        following: str | None = path
        while following:
            got = await self.get(following)
            found += got.data
            link = got.document["links"].get("next")
            following = link and f"/v1{link.partition('/v1')[2]}"
        return found


def caller_for(fake: FakeKajabi, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, fake.issue_token())


def related(resource: Any, relation: str) -> list[str]:
    """Return the ids of a relation with data."""
    data: Any = resource["relationships"][relation]["data"]
    return [entry["id"] for entry in (data if is_array(data) else [data])]


def contact_body(site_id: str | None = "1", **attributes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "contacts", "attributes": attributes}
    if site_id is not None:
        data["relationships"] = {"site": {"data": {"type": "sites", "id": site_id}}}
    return {"data": data}


def identifiers(type_name: str, *ids: str) -> dict[str, Any]:
    return {"data": [{"type": type_name, "id": resource_id} for resource_id in ids]}
