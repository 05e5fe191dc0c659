"""What a session has done, in numbers."""

import attrs

from kajabi_async.exchange import Tally

__all__ = ["SessionStats"]


@attrs.define
class SessionStats(Tally):
    """What a session has done since it was made; all but the last two only grow."""

    resent: int = 0
    """Attempts made again at once, as the server had closed the idle connection they were sent on."""
    rate_limited: int = 0
    """Answers 429."""
    pauses: int = 0
    """Answers that asked everyone to wait."""
    retries_denied: int = 0
    """Repeats that the retry budget did not allow."""
    token_requests: int = 0
    tokens_taken: int = 0
    """Tokens that another client had asked for, taken from a token store."""
    requests_per_second: float | None = None
    """The rate that is kept to just now; None where no limit is known."""
    queued: int = 0
    """How many wait for a place just now."""
