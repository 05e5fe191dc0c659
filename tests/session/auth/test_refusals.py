"""Operations that refuse every token, moment by moment."""

from kajabi_async.session.auth.backoff import TokenRejections
from kajabi_async.session.credentials import Secret


def test_an_operation_that_refuses_a_fresh_token_is_believed_for_a_while_that_doubles() -> None:
    """From a second to a minute, counted once per token."""
    refusals, now = TokenRejections(), 100.0
    assert refusals.may_replace("customers.get", now)
    for number, seconds in enumerate((1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)):
        for _ in range(50):
            refusals.rejected("customers.get", Secret(f"t{number}"), now)
        assert not refusals.may_replace("customers.get", now + seconds - 0.25)
        now += seconds
        assert refusals.may_replace("customers.get", now)


def test_other_operations_are_none_of_its_business() -> None:
    """A key may lack the permission for one operation only."""
    refusals = TokenRejections()
    refusals.rejected("hooks.list", Secret("t"), 0.0)
    assert refusals.may_replace("customers.get", 0.0)
    refusals.accepted("customers.get")
    assert not refusals.may_replace("hooks.list", 0.5)


def test_a_success_ends_it() -> None:
    """The next refusal is treated as the first one was."""
    refusals = TokenRejections()
    assert refusals.is_empty
    refusals.rejected("customers.get", Secret("t1"), 0.0)
    refusals.rejected("customers.get", Secret("t2"), 0.0)
    assert not refusals.is_empty
    refusals.accepted("customers.get")
    assert refusals.is_empty
    assert refusals.may_replace("customers.get", 0.0)
    refusals.rejected("customers.get", Secret("t3"), 0.0)
    assert refusals.may_replace("customers.get", 1.0)


def test_a_thousand_refused_tokens_are_no_overflow() -> None:
    """A key may lack a permission for months."""
    refusals = TokenRejections()
    for number in range(2000):
        refusals.rejected("hooks.list", Secret(str(number)), 0.0)
    assert refusals.may_replace("hooks.list", 60.0)
