"""Where the command takes its credentials from, where it keeps them, and the error for those that cannot be used.

Imports `client`, `session` and the leaves. Read `chain` first: it looks in the environment, then in `toml_file`, then
in `keyring`.
"""

from kajabi_async.errors import ConfigurationError

__all__ = ["CredentialsError"]


class CredentialsError(ConfigurationError):
    """Credentials that are missing or cannot be used; ``problem`` and ``cure`` are the two halves of the text."""

    def __init__(self, problem: str, *, cure: str) -> None:
        self.problem = problem
        self.cure = cure
        super().__init__(f"{problem}: {cure}")
