"""Which versions may break the public surface of an earlier one, and which tag is the last release."""

import pytest

from tests.packaging.surface import may_break, released


@pytest.mark.parametrize(
    ("before", "version", "may"),
    [
        ("0.1.0", "0.1.1", False),
        ("0.1.9", "0.2.0", True),
        ("0.9.0", "0.10.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.0.0", "1.1.0", False),
        ("1.9.0", "2.0.0", True),
        ("2.0.0", "1.9.0", False),
    ],
)
def test_a_break_needs_the_version_that_semantic_versioning_asks_for(before: str, version: str, may: bool) -> None:
    """The second number before 1.0, the first from then on."""
    assert may_break(version, before) is may


@pytest.mark.parametrize(
    ("tags", "latest"),
    [
        ([], None),
        (["nightly", "v1.0rc1", "version"], None),
        (["v0.1.0"], "v0.1.0"),
        (["v0.9.0", "v0.10.0", "v0.2.0", "w-1"], "v0.10.0"),
    ],
)
def test_the_last_release_is_the_highest_tag(tags: list[str], latest: str | None) -> None:
    """Tags are compared by number, and release candidates do not count."""
    assert released(tags) == latest
