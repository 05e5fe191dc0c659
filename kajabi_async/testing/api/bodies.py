"""Parsing of the body of a write: the checks that the API makes before it reads the resource."""

import json
from collections.abc import Mapping
from typing import Any, Final

from kajabi_async.testing.json_shapes import is_array, is_object
from kajabi_async.testing.replies import JSON_API, PLAIN_JSON, ApiProblem
from kajabi_async.testing.world import Call

__all__ = ["attributes_of", "document_of", "linkage_ids", "related_id", "resource_object"]

# Plain JSON is accepted for writes too (observed).
_MEDIA_TYPES: Final = frozenset({JSON_API, PLAIN_JSON})


def document_of(call: Call) -> Mapping[str, Any]:
    """Return the body as a JSON object; 415 for another media type, 400 for any other body."""
    media_type = call.content_type.partition(";")[0].strip().casefold()
    if media_type not in _MEDIA_TYPES:
        raise ApiProblem(415, f"The body has to be {JSON_API}, not {media_type or 'of no type'}")
    try:
        document: object = json.loads(call.body)
    except (ValueError, RecursionError):
        raise ApiProblem(400, "The body is not JSON") from None
    if not is_object(document):
        raise ApiProblem(400, "The body is not a JSON object")
    return document


def resource_object(call: Call, type_name: str) -> Mapping[str, Any]:
    """Return the resource object in the body; 400 without one, 409 if its type or id differs from the path's."""
    data = document_of(call).get("data")
    if not is_object(data):
        raise ApiProblem(400, "data has to be a resource object", {"pointer": "/data"})
    if data.get("type") is None:
        raise ApiProblem(400, "type is missing", {"pointer": "/data/type"})
    if data["type"] != type_name:
        raise ApiProblem(409, f"type has to be {type_name}", {"pointer": "/data/type"})
    if call.operation.method == "PATCH":
        _check_id(data, call.resource_id)
    return data


def _check_id(data: Mapping[str, Any], resource_id: str) -> None:
    if data.get("id") is None:
        raise ApiProblem(400, "id is missing", {"pointer": "/data/id"})
    if str(data["id"]) != resource_id:
        raise ApiProblem(409, "id is not the one in the path", {"pointer": "/data/id"})


def attributes_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a resource object; 400 if they are not an object."""
    attributes = data.get("attributes", {})
    if not is_object(attributes):
        raise ApiProblem(400, "attributes has to be an object", {"pointer": "/data/attributes"})
    return dict(attributes)


def related_id(data: Mapping[str, Any], relation: str, type_name: str) -> str | None:
    """Return the related id of a to-one relation of a resource object; None without one."""
    relationships = data.get("relationships")
    member = relationships.get(relation) if is_object(relationships) else None
    identifier = member.get("data") if is_object(member) else None
    if not is_object(identifier) or identifier.get("type") != type_name:
        return None
    found = identifier.get("id")
    return str(found) if found else None


def linkage_ids(document: Mapping[str, Any], type_name: str) -> tuple[str, ...]:
    """Return the ids in a linkage body; 400 for anything but a list of identifiers of the type."""
    data = document.get("data")
    if not is_array(data):
        raise ApiProblem(400, "data has to be a list of resource identifiers", {"pointer": "/data"})
    for index, identifier in enumerate(data):
        is_identifier = is_object(identifier) and identifier.get("type") == type_name
        if not is_identifier or not isinstance(identifier.get("id"), str | int):
            raise ApiProblem(400, f"a resource identifier of {type_name} is needed", {"pointer": f"/data/{index}"})
    return tuple(dict.fromkeys(str(identifier["id"]) for identifier in data))
