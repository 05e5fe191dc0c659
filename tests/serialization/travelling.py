"""A round trip through dumps and loads, and all that is known of a resource as plain values, for comparison."""

from typing import Any, TypeVar

from kajabi_async import Resource, dumps, loads

T = TypeVar("T")


def travelled(value: T) -> T:
    """Return the value after a round trip."""
    arrived: T = loads(dumps(value))
    return arrived


def everything(*resources: Resource) -> dict[int, dict[str, Any]]:
    """Return all that is known of *resources* and their related ones, with each related resource as a number."""
    numbers: dict[int, int] = {}
    met: list[Resource] = []

    def number(resource: Resource) -> int:
        if id(resource) not in numbers:
            numbers[id(resource)] = len(met)
            met.append(resource)
        return numbers[id(resource)]

    for resource in resources:
        number(resource)
    message: dict[int, dict[str, Any]] = {}
    for place, resource in enumerate(met):
        state = resource.__getstate__()
        state["related"] = {identifier: number(each) for identifier, each in state["related"].items()}
        message[place] = {"class": type(resource), **state}
    return message
