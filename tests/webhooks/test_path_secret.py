import hmac
import traceback
from typing import Any

import pytest

from kajabi_async import ConfigurationError
from kajabi_async.webhooks import PathSecrets, WrongSecretError

OLD, NEW = "old-" + "a1B2c3D4" * 5, "new-" + "e5F6g7H8" * 5


def test_each_accepted_secret_opens() -> None:
    """The old and the new secret are accepted while a secret is changed, and only the new one afterwards."""
    during, after = PathSecrets(OLD, NEW), PathSecrets(NEW)
    for secrets, given in ((during, OLD), (during, NEW), (after, NEW)):
        secrets.check(given)
    with pytest.raises(WrongSecretError):
        after.check(OLD)


@pytest.mark.parametrize("given", ["", OLD[:-1], OLD + "x", OLD.upper(), f" {OLD}", "\ud800", "пароль" * 9, NEW])
def test_anything_else_is_not_found(given: str) -> None:
    """404, and the error repeats neither the given text nor a secret."""
    with pytest.raises(WrongSecretError) as caught:
        PathSecrets(OLD).check(given)
    assert caught.value.http_status == 404
    assert OLD not in str(caught.value)
    assert not given.strip() or given not in str(caught.value)


def test_every_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `hmac.compare_digest`, over texts of equal length, and with all of them even if the first one matches."""
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def noting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    secrets = PathSecrets(OLD, NEW)
    monkeypatch.setattr(hmac, "compare_digest", noting)
    secrets.check(OLD)
    with pytest.raises(WrongSecretError):
        secrets.check("x")
    assert compared == [(32, 32)] * 4


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ((), "no secret is set"),
        (("a" * 31,), "secret 1 of 1 has 31 characters, and 32 are the least"),
        ((OLD, ""), "secret 2 of 2 has 0 characters"),
        ((OLD, "a/b" * 20), "secret 2 of 2 holds characters that a path would need to escape"),
        (("é" * 40,), "would need to escape"),
        ((None,), "secret 1 of 1 must be text, got NoneType"),
        (([OLD, NEW],), "must be text, got list"),
    ],
)
def test_an_unusable_secret_is_refused(given: tuple[Any, ...], problem: str) -> None:
    """The error names its number and how to make a good one, and shows no secret, not even in the locals."""
    with pytest.raises(ConfigurationError) as caught:
        PathSecrets(*given)
    assert problem in str(caught.value)
    assert "secrets.token_urlsafe(32)" in str(caught.value)
    frames = [
        frame.f_locals
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        if frame.f_code.co_filename.endswith("path_secret.py") and "test" not in frame.f_code.co_name
    ]
    assert frames
    assert OLD not in str(frames) + str(caught.value)


def test_shows_the_number_of_secrets_alone() -> None:
    """Neither repr nor attributes hold a secret."""
    secrets = PathSecrets(OLD, NEW)
    assert repr(secrets) == "<PathSecrets: 2 accepted>"
    assert OLD not in str(vars(secrets))
