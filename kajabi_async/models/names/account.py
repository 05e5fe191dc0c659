"""Names of sites, hooks and the user of the API key: paths to prefetch, fields."""

from typing import Literal

__all__ = ["HookField", "HookPath", "MeField", "SiteField"]

SiteField = Literal[
    "title",
    "subdomain",
    "created_at",
    "updated_at",
]

HookPath = Literal["site",]

HookField = Literal[
    "event",
    "target_url",
    "resource_id",
    "created_at",
    "updated_at",
    "site",
]

MeField = Literal[
    "initials",
    "name",
    "email",
    "role_level",
]
