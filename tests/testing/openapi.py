"""The official OpenAPI document as JSON Schemas."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are not installed

from kajabi_async.testing.json_shapes import is_array, is_object

DOCUMENT = Path(__file__).parents[2] / ".." / "shared" / "reference" / "kajabi-openapi-1.1.0.yaml"


@cache
def document() -> dict[str, Any]:
    if not DOCUMENT.exists():
        pytest.skip("the official API document ../shared/reference/kajabi-openapi-1.1.0.yaml is not there")
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


@cache
def _components() -> Any:
    return _with_nulls(document()["components"])


def _with_nulls(schema: Any) -> Any:
    """``nullable: true`` belongs to OpenAPI 3.0 and has no meaning in 3.1, but the document relies on it."""
    if is_array(schema):
        return [_with_nulls(part) for part in schema]
    if not is_object(schema):
        return schema
    read = {key: _with_nulls(value) for key, value in schema.items()}
    return {"anyOf": [read, {"type": "null"}]} if schema.get("nullable") is True else read


def answers(method: str, path: str) -> dict[str, Any]:
    """Return the documented answers of an operation, whatever the name of its path parameter."""
    found: dict[str, Any] = document()["paths"][path][method.lower()]["responses"]
    return {str(status): answer for status, answer in found.items()}


def problems(method: str, path: str, status: int, got: Any) -> list[str]:
    """Return where *got* differs from the documented answer; empty if the document has no schema for it."""
    content = answers(method, path)[str(status)].get("content")
    if content is None:
        return []
    (media_type,) = content.values()
    schema = {**_with_nulls(media_type["schema"]), "components": _components()}
    validator: Any = Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(got)]


def request_problems(method: str, path: str, media_type: str, got: Any) -> list[str]:
    """Return where the body *got* differs from the documented request."""
    content = document()["paths"][path][method.lower()]["requestBody"]["content"]
    if media_type not in content:
        return [f"the document knows no body of {media_type}"]
    schema = {**_with_nulls(content[media_type]["schema"]), "components": _components()}
    validator: Any = Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(got)]
