import pytest

from kajabi_async.jsonapi.query import is_parameter_name


@pytest.mark.parametrize("name", ["name", "price_in_cents", "a", "0", "created-at", "a b", "größe", "日本", "x_1-y"])
def test_accepts_legal_member_names(name: str) -> None:
    """Row 56: letters, digits and everything beyond ASCII, with hyphens, underscores and spaces (row 58) between."""
    assert is_parameter_name(name)
    assert is_parameter_name(f"filter[{name}]")


@pytest.mark.parametrize(
    "name",
    ["", "_a", "a_", "-a", "a-", " a", "a ", "a.b", "a/b", "a+b", "a\n", "a\x00b", "{a}", "a@b", "@", "@a"],
)
def test_refuses_illegal_member_names(name: str) -> None:
    """Row 57: reserved characters are refused, and a name begins and ends with a letter or digit."""
    assert not is_parameter_name(name)


@pytest.mark.parametrize("name", ["Name", "NAME", "name"])
def test_leaves_the_case_alone(name: str) -> None:
    """Row 55: names are case-sensitive, so every case is a name of its own."""
    assert is_parameter_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "include",
        "sort",
        "page[number]",
        "filter[site_id]",
        "filter[a.b]",
        "filter[x][]",
        "fields[contact_tags]",
        "filter[a][b]",
    ],
)
def test_accepts_parameter_names_and_families(name: str) -> None:
    """Row 66: a parameter is a name alone or a family: ``base[name]``, ``base[a.b]``, ``base[name][]``."""
    assert is_parameter_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "filter[_]",
        "filter[a",
        "filter]a[",
        "filter[a]]",
        "[a]",
        "filter[a]b",
        "filter[.a]",
        "a&b",
        "a=b",
        "a#",
        "filter[a b ]",
    ],
)
def test_refuses_illegal_parameter_names(name: str) -> None:
    """Row 66: ``filter[_]`` is illegal, and so is whatever would begin another parameter."""
    assert not is_parameter_name(name)


def test_answers_quickly_for_long_names_that_fail_at_the_end() -> None:
    """A long hostile name costs no more than reading it."""
    assert not is_parameter_name("filter[" + "a_" * 20_000 + "!]")
    assert not is_parameter_name("filter[" + "a." * 20_000)
