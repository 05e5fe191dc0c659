"""The classes of all resources that can be listed, whichever test file is collected first."""

from importlib import import_module

from kajabi_async.cli.signatures import ResourceClass, resource_classes

__all__ = ["every_resource"]


def every_resource() -> list[ResourceClass]:
    """Return the classes of the package, sorted by name; their modules are imported with that of the client."""
    import_module("kajabi_async.client")
    return [cls for cls in resource_classes() if cls.__module__.startswith("kajabi_async.")]
