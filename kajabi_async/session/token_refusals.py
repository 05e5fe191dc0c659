"""Operations that refuse every token: asking for another one at each call would help none of them."""

import attrs

from kajabi_async.session.credentials import Secret

__all__ = ["TokenRefusals"]

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


@attrs.define
class _Refusal:
    token: Secret
    times: int
    until: float


class TokenRefusals:
    """What operations refused although the token had just been issued; moments are on the monotonic clock.

    From then on the operation's refusals are its own for a while, which doubles with each new token that it refuses,
    and are over when it accepts one. There are as many as there are operations.
    """

    def __init__(self) -> None:
        self._by_operation: dict[str, _Refusal] = {}
        self.is_empty = True
        """Whether no operation is known to refuse every token; every request looks."""

    def may_replace(self, operation: str, now: float) -> bool:
        """Return whether another token may help *operation*."""
        refusal = self._by_operation.get(operation)
        return refusal is None or now >= refusal.until

    def refused(self, operation: str, token: Secret, now: float) -> None:
        """Note that *operation* refused *token*, which had just been issued; counted once for each token."""
        refusal = self._by_operation.get(operation)
        if refusal is not None and refusal.token == token:
            return
        times = 0 if refusal is None else refusal.times + 1
        seconds = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(times, 30))
        self._by_operation[operation] = _Refusal(token, times, now + seconds)
        self.is_empty = False

    def accepted(self, operation: str) -> None:
        """Note that *operation* accepted a token."""
        self._by_operation.pop(operation, None)
        self.is_empty = not self._by_operation
