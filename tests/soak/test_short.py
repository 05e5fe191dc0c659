"""The short form of every figure of ``make soak``: the same runs, smaller."""

from pathlib import Path

import pytest

from tests.examples.serving import APPS
from tests.soak import access, amplification
from tests.soak.bulk import lookups
from tests.soak.cancelling import cancellations
from tests.soak.changes import ended, logged, quiet
from tests.soak.closing import closings
from tests.soak.deliveries import deliveries
from tests.soak.emails import ignored, memory, planned, requests_for, worlds, wrong_in
from tests.soak.figures import Figure
from tests.soak.hostile import documents, hostile_links, mutated_deliveries, texts
from tests.soak.names import hostile_names
from tests.soak.pace import changed, hidden, histories
from tests.soak.sharing import expiry, killed_holders, over_a_file, over_redis
from tests.soak.stall import Lengths, gone_for_good, stalls
from tests.soak.writing import lost_answers

pytestmark = pytest.mark.thorough


def _holds(*figures: Figure) -> None:
    assert figures
    assert all(figure.holds for figure in figures), "\n".join(map(str, figures))


async def test_no_lookup_is_lost_wrong_or_doubled_whatever_goes_wrong() -> None:
    """Twelve kinds of faults hit one answer in twenty."""
    _holds(*await lookups(3000, settled=1000))


async def test_no_lookup_is_lost_through_pauses_restarts_and_the_loss_of_tokens_and_of_redis(tmp_path: Path) -> None:
    """Only requests in progress are sent again."""
    lengths = Lengths(pause=2.0, restart=1.0, token_endpoint=2.0, redis=1.0)
    _holds(*await stalls(3000, tmp_path, lengths=lengths, settled=500))


async def test_a_server_that_is_gone_for_good_leaves_exactly_what_is_unanswered(tmp_path: Path) -> None:
    """A second run completes the set."""
    _holds(*await gone_for_good(1000, tmp_path, patience=2.0))


async def test_processes_that_share_a_token_over_redis_cost_one_grant(redis_url: str) -> None:
    """One at the start, and one at expiry."""
    _holds(await expiry(over_redis(redis_url), processes=3, tasks=50, life=4))


async def test_processes_that_share_a_token_over_a_file_cost_one_grant(tmp_path: Path) -> None:
    """One at the start, and one at expiry."""
    _holds(await expiry(over_a_file(tmp_path / "tokens"), processes=3, tasks=50, life=4))


async def test_a_holder_killed_in_mid_refresh_is_replaced(redis_url: str, tmp_path: Path) -> None:
    """Over Redis when its lease ends, over a file at once."""
    _holds(
        await killed_holders(over_redis(redis_url), times=1, lease_seconds=1.0),
        await killed_holders(over_a_file(tmp_path / "tokens"), times=2, lease_seconds=1.0),
    )


@pytest.mark.parametrize(("limit", "number"), [(10, 3000), (50, 2500)])
def test_a_hidden_limit_is_found_and_used(limit: float, number: int) -> None:
    """This holds for every kind of limiter, after any history, in simulated time."""
    _holds(*hidden(limit, number))


def test_a_limit_that_changes_is_followed() -> None:
    """Halved within half a minute, doubled within a minute."""
    _holds(*changed(10, seconds=100.0))


def test_whatever_was_refused_the_rate_comes_back() -> None:
    """It reaches a thousand a second within two minutes."""
    _holds(histories(8))


async def test_cancellations_leave_nothing() -> None:
    """No task, no socket and no queued request remain, and the whole pool is usable."""
    _holds(await cancellations(400))


async def test_closing_at_any_moment_leaves_nothing() -> None:
    """No later request, no task, no socket, no warning."""
    _holds(await closings(150))


def test_damaged_documents_are_read_or_refused() -> None:
    """The result is always an object or a KajabiError."""
    _holds(documents(1500))


def test_damaged_texts_of_dumps_are_read_or_refused() -> None:
    """The results can be shown, compared and written again."""
    _holds(texts(3000))


def test_mutated_deliveries_are_read_or_refused() -> None:
    """The errors contain no personal data."""
    _holds(mutated_deliveries(1000))


def test_no_answer_becomes_much_more_than_it_is() -> None:
    """Neither in memory nor in time that blocks the loop; deliveries likewise."""
    _holds(amplification.answers(120), amplification.deliveries(60))


@pytest.mark.parametrize("key", amplification.COSTLY)
def test_no_large_answer_becomes_much_more_than_it_is(key: tuple[str, str, str]) -> None:
    """These are costly only because of their size."""
    cost = amplification.at_size(*key, 8 * 2**20)
    assert cost.memory_used <= 1, str(cost)
    assert cost.time_used <= 1, str(cost)


@pytest.mark.parametrize("key", amplification.OF_MANY_MEMBERS)
def test_no_answer_of_many_members_becomes_much_more_than_it_is(key: tuple[str, str, str]) -> None:
    """As many as the limit of elements allows; the long form also measures the time."""
    cost = amplification.with_most_elements(*key, 4 * 2**20)
    assert cost.memory_used <= 1, str(cost)


async def test_hostile_links_lead_nowhere_else() -> None:
    """No byte goes to another host."""
    _holds(await hostile_links(10_000))


async def test_hostile_names_are_shown_and_never_acted_on() -> None:
    """On a terminal, in a pipe, as JSON and in every format of an export."""
    _holds(await hostile_names(120))


async def test_no_write_is_applied_twice() -> None:
    """With verification, none is left undone either."""
    _holds(await lost_answers(100))


async def test_emails_are_found_as_a_reading_of_the_whole_list_finds_them() -> None:
    """Whatever their spelling, the sites, rows that move, ignored filters and a stale search."""
    _holds(await worlds(40))


async def test_a_scan_of_emails_goes_on_if_inserted_rows_fill_several_pages() -> None:
    """World 1935 inserts more rows at once than a page holds."""
    assert await wrong_in(1935) == []


async def test_emails_cost_little_more_than_the_better_plan() -> None:
    """Over a grid of sizes, and at most 60 requests for 1,000 of 5,500."""
    _holds(await planned(250), await requests_for(1000, 5500))


async def test_an_ignored_filter_makes_emails_cost_no_more_than_a_scan() -> None:
    """Over the same grid, without the answers that show it."""
    _holds(await ignored(250))


async def test_emails_take_little_memory_beside_their_set() -> None:
    """People are not kept once they are found."""
    _holds(await memory(20_000, 5_000))


async def test_a_thousand_logins_at_the_same_moment_cost_one_reading_for_each_person() -> None:
    """By id and by email, over real sockets."""
    _holds(*await access.logins(300, 10))


async def test_who_may_in_is_known_while_kajabi_is_gone_or_is_unknown() -> None:
    """In whatever way it is gone; the time is measured by the long form."""
    figures = await access.gone(2, budget=0.3)
    assert figures
    assert all(figure.seen.startswith("0 wrong") for figure in figures), "\n".join(map(str, figures))


async def test_cached_answers_are_right_with_a_thousand_tasks_at_once(redis_url: str) -> None:
    """In memory and over Redis; the time is measured by the long form."""
    assert len(await access.cached(redis_url, rounds=1)) == 4


def test_the_state_machine_of_access_finds_nothing_wrong() -> None:
    """In a few of its steps."""
    _holds(access.machine(400))


@pytest.mark.parametrize("holds", [True, False])
def test_a_figure_shows_whether_it_holds(holds: bool) -> None:
    """The text starts with ``ok`` or ``FAIL``."""
    assert str(Figure("what", "5", "at most 4", holds)).startswith("ok  " if holds else "FAIL")


@pytest.mark.parametrize("app", APPS)
async def test_every_delivery_is_handled_once(app: str) -> None:
    """They are late, doubled, out of order, and one in ten fails."""
    _holds(*await deliveries(app, 300))


async def test_no_change_is_missed_invented_or_given_another_key() -> None:
    """Against the log of the fake: faults, rows that move, restarts, equal times."""
    _holds(await logged(700, seed=3), await ended(550), await quiet(20))
