"""The docstrings of constants and of aliases of types, which they do not have at run time."""

import sys

from sphinx.pycode import ModuleAnalyzer


def docs_of_constant(name: str) -> list[str]:
    """Return the lines below the constant called *name*, a full name, in the module that defines it.

    Raise LookupError if it has none.
    """
    package, _, constant = name.rpartition(".")
    value = getattr(sys.modules[package], constant)
    for module in sorted(each for each in sys.modules if f"{each}.".startswith(f"{package}.")):
        if getattr(sys.modules[module], constant, None) is value:
            found = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", constant))
            if found is not None:
                return list(found)
    raise LookupError(f"{name} has no docstring")
