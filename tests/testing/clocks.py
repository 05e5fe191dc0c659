import attrs


@attrs.define
class StoppedClock:
    """A clock that moves only when a test sets it."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds
