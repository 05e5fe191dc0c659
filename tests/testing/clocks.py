import attrs


@attrs.define
class StoppedClock:
    """A clock that moves when told to."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds
