"""The account behind the API key: its sites, its hooks, the user, and the version of the API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import attrs

from kajabi_async.jsonapi.codec import json_object
from kajabi_async.models.relations import ToOneRelation
from kajabi_async.models.resource import Resource, model

__all__ = ["ApiVersion", "Hook", "Me", "Site"]


@model("sites", distinguished_by=("title", "subdomain"))
class Site(Resource):
    """One site of the account."""

    title: str | None
    subdomain: str | None
    created_at: datetime | None
    updated_at: datetime | None


@model("hooks", distinguished_by=("event", "resource_id"), secret_urls=("target_url",))
class Hook(Resource):
    """A subscription: an event and the URL that it is posted to."""

    event: str | None
    """One of six; see `HookEvent`."""
    target_url: str | None
    resource_id: str | None
    """The id of the offer, form or tag that it is limited to; null for all. A whole number in the API document, text in
    its examples."""
    created_at: datetime | None
    updated_at: datetime | None

    site = ToOneRelation["Site"]("sites")


@model("me", distinguished_by=("name", "email"))
class Me(Resource):
    """The user that the API key belongs to."""

    initials: str | None
    name: str | None
    email: str | None
    role_level: str | None
    """Such as ``OWNER`` or ``ADMINISTRATOR``."""


@attrs.frozen(kw_only=True)
class ApiVersion:
    """The version of the API; None for what the answer left out."""

    title: str | None
    version: str | None
    documentation: str | None
    """The URL of its documentation."""
    jsonapi: str | None
    """The version of JSON:API, such as ``v1.1``."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the document of ``GET /v1/version``, which has no data."""
        meta = json_object(document.get("meta")) or {}
        links = json_object(document.get("links")) or {}
        jsonapi = json_object(document.get("jsonapi")) or {}
        return cls(
            title=_text(meta.get("title")),
            version=_text(meta.get("version")),
            documentation=_text(links.get("documentation")),
            jsonapi=_text(jsonapi.get("version")),
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
