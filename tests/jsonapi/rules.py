"""The link rules of a client, for a base URL on this machine and for the official one."""

from kajabi_async.jsonapi.links import LinkRules
from kajabi_async.operations import OPERATIONS

__all__ = ["OFFICIAL", "OWN", "TEMPLATES", "rules_for"]

OFFICIAL = (("https://api.kajabi.com", "/v1"), ("https://app.kajabi.com", "/api/v1"))
TEMPLATES = [row.path for row in OPERATIONS.values()]


def rules_for(base_url: str) -> LinkRules:
    return LinkRules(base_url=base_url, origins=OFFICIAL, templates=TEMPLATES)


OWN = rules_for("http://127.0.0.1:8080")
