"""The classes of all resources that can be listed, whichever test file is collected first."""

from importlib import import_module
from pkgutil import iter_modules

from kajabi_async import resources
from kajabi_async.cli.signatures import ResourceClass, resource_classes

__all__ = ["every_resource"]


def every_resource() -> list[ResourceClass]:
    """Return the classes of the package, sorted by name."""
    for module in iter_modules(resources.__path__, f"{resources.__name__}."):
        import_module(module.name)
    return [cls for cls in resource_classes() if cls.__module__.startswith("kajabi_async.")]
