"""Through dumps and loads, and what is known of a resource as plain values, to compare all of it."""

from typing import Any, TypeVar

from kajabi_async import Resource, dumps, loads

T = TypeVar("T")


def travelled(value: T) -> T:
    """Give what arrives."""
    arrived: T = loads(dumps(value))
    return arrived


def everything(*resources: Resource) -> dict[int, dict[str, Any]]:
    """Give all that is known of *resources* and of what came with them, each related resource as a number."""
    numbers: dict[int, int] = {}
    met: list[Resource] = []

    def number(resource: Resource) -> int:
        if id(resource) not in numbers:
            numbers[id(resource)] = len(met)
            met.append(resource)
        return numbers[id(resource)]

    for resource in resources:
        number(resource)
    told: dict[int, dict[str, Any]] = {}
    for place, resource in enumerate(met):
        state = resource.__getstate__()
        state["related"] = {identifier: number(each) for identifier, each in state["related"].items()}
        told[place] = {"class": type(resource), **state}
    return told
