"""The names of the package: all are there, and nothing that it needs to look them up."""

import pytest

from kajabi_async import session


def test_the_package_lists_its_names_but_none_of_its_imports() -> None:
    """Each name is imported when it is first used."""
    listed = dir(session)
    assert {*session.__all__} <= {*listed}
    assert {"Final", "TYPE_CHECKING", "import_module"}.isdisjoint(listed)
    assert sorted(session.__all__) == session.__all__


def test_a_misspelt_name_is_refused_as_by_any_module() -> None:
    """`hasattr` depends on it, and so does the message of a failed import."""
    with pytest.raises(AttributeError, match=r"^module 'kajabi_async\.session' has no attribute 'Timeout'$"):
        session.Timeout  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
