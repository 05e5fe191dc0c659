"""From what is known to an answer, and whether it may be given as it is: pure functions."""

from datetime import UTC, datetime
from typing import Final, Literal

import attrs

from kajabi_async.access.answer import Access
from kajabi_async.access.judging import Finding, judge
from kajabi_async.access.known import Known
from kajabi_async.access.question import Question
from kajabi_async.access.settings import Settings

__all__ = ["Age", "Decision", "decide"]

Age = Literal["fresh", "stale", "too old"]
"""Whether an answer is given as it is, given while it is refreshed, or not given."""

_NEVER: Final = float("-inf")


@attrs.frozen
class Decision:
    """An answer, and what it is worth."""

    access: Access
    age: Age
    unread: tuple[str, ...] = ()
    """The offers whose contents it lacks."""


def decide(known: Known, question: Question, now: float, settings: Settings) -> Decision:
    """Return the answer to *question* at *now*, in seconds since the epoch.

    A yes ages from the reading of what it stands on. A no does so too, and must hold for every customer; after a
    planned end it ages from that end.
    """
    finding = _found(known, question, now)
    if finding.state == "allowed":
        fresh, stale = settings.fresh, settings.stale
    else:
        fresh = stale = settings.fresh_denied
    elapsed = now - finding.as_of
    age: Age = "fresh" if elapsed <= fresh else "stale" if elapsed <= stale else "too old"
    return Decision(_access(finding), age, finding.unread)


def _found(known: Known, question: Question, now: float) -> Finding:
    identity = known.identity
    if identity is not None and not identity.customers:
        if identity.is_proven:
            return Finding("denied", "no customer has this email", None, identity.as_of)
        because = "the search found no customer with this email, which is no proof that there is none"
        return Finding("unknown", because, None, identity.as_of)
    if not known.people:
        return Finding("unknown", "nothing is known", None, _NEVER)
    finding = judge(question, known.people, now, known.contents)
    if finding.state == "allowed":
        return attrs.evolve(finding, as_of=min(finding.as_of, known.contents_as_of))
    if not known.is_whole:
        return Finding("unknown", "not all customers with this email could be read", finding.person, _NEVER)
    read_at = min(each.as_of for each in known.people)
    if finding.as_of <= read_at and identity is not None:
        finding = attrs.evolve(finding, as_of=min(finding.as_of, identity.as_of))
    return finding


def _access(finding: Finding) -> Access:
    return Access(state=finding.state, because=finding.because, as_of=_time(finding.as_of), person=finding.person)


def _time(moment: float) -> datetime | None:
    return None if moment == _NEVER else datetime.fromtimestamp(moment, UTC)
