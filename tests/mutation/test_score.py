"""How mutants are counted."""

import ast

import pytest

from tests.mutation.score import HEADING, LEAST, Mutant, changed, drawn, scores

PACKAGE = "kajabi_async.jsonapi"


def _mutant(status: str = "killed", change: str = "return None", *, is_text: bool = False) -> Mutant:
    return Mutant(f"{PACKAGE}.ids.checked_id", change, is_text, status)


def _function(body: str, *, head: str = "def f(a, b='x'):") -> ast.AST:
    return ast.parse(f"{head}\n    {body}").body[0]


@pytest.mark.parametrize("status", ["survived", "timeout", "no tests"])
def test_only_a_failing_test_kills(status: str) -> None:
    """A mutant that ran out of time or that no test reaches counts against the score like one that survived."""
    (score,) = scores([_mutant(), _mutant(), _mutant(), _mutant(status)], set(), [PACKAGE])
    assert score.per_cent == 75
    assert [each.status for each in score.alive] == [status]


def test_a_package_without_mutants_fails() -> None:
    """Nothing was measured where nothing was changed."""
    measured, empty = scores([_mutant()], set(), [PACKAGE, "kajabi_async.session"])
    assert measured.per_cent == 100
    assert empty.per_cent < LEAST


def test_the_table_says_what_is_below_the_bar() -> None:
    """A line for each part, under one heading, with its share and the least that is allowed."""
    good, bad = scores([_mutant(), Mutant("a.b", "c", is_text=False, status="no tests")], set(), [PACKAGE, "a"])
    assert HEADING.split() == [
        *("part", "noticed", "bar", "mutants", "alive", "timeouts", "untested", "equivalent", "texts")
    ]
    assert str(good).split() == [PACKAGE, "100.0", "%", "85", "%", "1", "0", "0", "0", "0", "0"]
    assert str(bad).split() == ["a", "0.0", "%", "85", "%", "1", "1", "0", "1", "0", "0", "FAILS"]
    assert len(HEADING) == len(str(good))


def test_an_equivalent_is_set_aside_while_it_lives() -> None:
    """A reason for a change that is killed excuses nothing and is not counted as one."""
    killed, alive = _mutant(change="return 1"), _mutant("survived", change="return 2")
    (score,) = scores([killed, alive], {(killed.function, "return 1"), (alive.function, "return 2")}, [PACKAGE])
    assert (score.counted, score.equivalent) == ([killed], [alive])


def test_a_mutant_counts_in_the_innermost_part() -> None:
    """A package and one inside it may both be scored."""
    inner = f"{PACKAGE}.ids"
    outside = Mutant(f"{PACKAGE}.links.href", "return 1", is_text=False, status="killed")
    outer, part = scores([_mutant(), outside], set(), [PACKAGE, inner])
    assert (outer.counted, part.counted) == ([outside], [_mutant()])


def test_a_sample_takes_as_many_of_each_part() -> None:
    """All of a small part. The same seed draws the same ones, in whatever order they come, and another seed others."""
    large = {f"{PACKAGE}.links.x_href__mutmut_{number}" for number in range(100)}
    small = {f"{PACKAGE}.ids.x_checked_id__mutmut_{number}" for number in range(3)}
    parts = [PACKAGE, f"{PACKAGE}.ids"]
    sample = drawn(large | small, parts, 10, 7)
    assert small < sample
    assert len(sample & large) == 10
    assert sample == drawn(sorted(large | small, reverse=True), parts, 10, 7)
    assert sample != drawn(large | small, parts, 10, 8)


def test_texts_are_counted_apart() -> None:
    """Neither do they raise the score nor lower it."""
    (score,) = scores([_mutant(), _mutant(is_text=True), _mutant("survived", is_text=True)], set(), [PACKAGE])
    assert score.per_cent == 100
    assert len(score.texts) == 2


def test_a_changed_sentence_is_a_text_and_a_changed_word_is_not() -> None:
    """Words are keys, paths and names that the API reads; sentences are for people."""
    assert changed(_function("raise E('it is empty')"), _function("raise E('XXit is emptyXX')"))[1]
    assert not changed(_function("return a['data']"), _function("return a['DATA']"))[1]
    assert not changed(_function("raise E('it is empty')"), _function("raise E(None)"))[1]
    assert not changed(_function("return 1"), _function("return 2"))[1]


def test_the_change_is_the_line_that_became_another() -> None:
    """A default counts as a line, the name of the function does not, nor does what stands above it."""
    one, other = _function("return a"), _function("return b", head="def g(a, b='x'):")
    assert changed(one, other) == ("return b", False)
    assert changed(one, _function("return a", head="def f(a, b='y'):")) == ("a, b='y'):", False)
    decorated = "@classmethod\ndef f(a):"
    assert changed(_function("return a", head=decorated), _function("return 1", head=decorated))[0] == "return 1"
