"""The error for credentials that are missing or cannot be used."""

from kajabi_async.errors import ConfigurationError

__all__ = ["CredentialsError"]


class CredentialsError(ConfigurationError):
    """Credentials that are missing or cannot be used; ``problem`` and ``cure`` are the two halves of the text."""

    def __init__(self, problem: str, *, cure: str) -> None:
        self.problem = problem
        self.cure = cure
        super().__init__(f"{problem}: {cure}")
