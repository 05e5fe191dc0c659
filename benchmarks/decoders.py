"""Decoders of a page of customers from bytes to objects, without a network."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import orjson
from kajabi import AsyncClient
from kajabi._models import Customer as PeerCustomer
from kajabi._resources import _parse_page  # pyright: ignore[reportPrivateUsage]  # it has no public name

from benchmarks.contenders import OURS, PEER
from kajabi_async.decoding.answers import read_page
from kajabi_async.models.origin import Scope
from kajabi_async.models.people import Customer

STRUCTS = "msgspec structs"

Decode = Callable[[bytes], Sequence[object]]


class Socials(msgspec.Struct):
    twitter: str | None = None
    facebook: str | None = None
    instagram: str | None = None


class Attributes(msgspec.Struct):
    """The types are those of `Customer`."""

    name: str | None = None
    email: str | None = None
    avatar: str | None = None
    external_user_id: str | None = None
    public_bio: str | None = None
    public_location: str | None = None
    public_website: str | None = None
    socials: Socials | None = None
    net_revenue: Decimal | None = None
    sign_in_count: int | None = None
    last_request_at: datetime | None = None
    bounced_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Identifier(msgspec.Struct):
    id: str
    type: str


class ToOne(msgspec.Struct):
    data: Identifier | None = None


class ToMany(msgspec.Struct):
    data: list[Identifier] = msgspec.field(default_factory=list)
    links: dict[str, str] = msgspec.field(default_factory=dict)


class Relationships(msgspec.Struct):
    contact: ToOne | None = None
    site: ToOne | None = None
    offers: ToMany | None = None
    products: ToMany | None = None


class Row(msgspec.Struct):
    id: str
    type: str
    attributes: Attributes
    relationships: Relationships
    links: dict[str, str]


class RowUnread(msgspec.Struct):
    id: str
    type: str
    attributes: Attributes
    relationships: msgspec.Raw
    links: msgspec.Raw


class Page(msgspec.Struct):
    data: list[Row]
    links: dict[str, str | None]
    meta: dict[str, Any]


class PageUnread(msgspec.Struct):
    data: list[RowUnread]
    links: dict[str, str | None]
    meta: dict[str, Any]


_PAGE = msgspec.json.Decoder(Page)
_PAGE_UNREAD = msgspec.json.Decoder(PageUnread)


def _ours(body: bytes) -> Sequence[object]:
    return read_page(body, cls=Customer, scope=Scope(), context="GET /v1/customers").rows


def _structs(body: bytes) -> Sequence[object]:
    return _PAGE.decode(body).data


def _structs_unread(body: bytes) -> Sequence[object]:
    return _PAGE_UNREAD.decode(body).data


def _json(body: bytes) -> Sequence[object]:
    rows: list[object] = json.loads(body)["data"]
    return rows


def _orjson(body: bytes) -> Sequence[object]:
    rows: list[object] = orjson.loads(body)["data"]
    return rows


def _peer(client: AsyncClient, body: bytes) -> Sequence[object]:
    # As its list decodes an answer.
    return _parse_page(PeerCustomer, json.loads(body), client).data


def decoders(peer: AsyncClient) -> Mapping[str, Decode]:
    """Return the decoders by name; the peer's objects refer to its client."""
    return {
        OURS: _ours,
        STRUCTS: _structs,
        "msgspec structs, relationships unread": _structs_unread,
        "json to dicts": _json,
        "orjson to dicts": _orjson,
        PEER: partial(_peer, peer),
    }
