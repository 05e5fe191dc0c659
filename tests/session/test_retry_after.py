"""What is read from an unsuccessful answer."""

import time

import pytest

from kajabi_async.session.error_answers import read_retry_after


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("99999999999999999999", 10.0**9),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tuesday, 14-Nov-23 22:13:30 GMT", 10.0),
        ("Tue Nov 14 22:13:30 2023", 10.0),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("1_0", None),
        ("\u0661", None),
        ("1e3", None),
        ("nan", None),
        ("9" * 400, None),
        ("9" * 30, 10.0**9),
        ("9" * 31, None),
        ("-" + "1" * 30, 0.0),
        ("1.2.3", None),
        ("1.", 1.0),
        (".5", 0.5),
        ("-", None),
        (".", None),
        ("--3", None),
        (" 7 ", 7.0),
        ("Tue, 14 Nov 2023 23:13:30 +0100", 10.0),
    ],
)
def test_retry_after_is_read_in_every_form(value: str, expected: float | None) -> None:
    """Seconds, a fraction, the three forms of an HTTP date; rubbish counts as missing."""
    assert read_retry_after({"retry-after": value}, wall_time=1_700_000_000.0) == expected


def test_a_date_is_relative_to_the_date_of_the_answer() -> None:
    """A wrong clock on this machine does no harm."""
    headers = {"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT", "date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    assert read_retry_after(headers, wall_time=0.0) == 10.0
    assert read_retry_after({}, wall_time=0.0) is None


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Lima"])
@pytest.mark.parametrize(
    "value", ["Tue Nov 14 22:13:30 2023", "Tue, 14 Nov 2023 22:13:30 -0000", "Tue, 14 Nov 2023 23:13:30 +0100"]
)
def test_a_date_without_a_zone_is_in_utc(value: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the time zone of this machine."""
    try:
        with monkeypatch.context() as patched:
            patched.setenv("TZ", zone)
            time.tzset()
            assert read_retry_after({"retry-after": value}, wall_time=1_700_000_000.0) == 10.0
    finally:
        time.tzset()
