"""The records of people in a cache, read like an answer."""

import pytest

from kajabi_async.access import holdings
from kajabi_async.access.holdings import Mark, read_record, written_record


def test_a_record_of_more_elements_than_an_answer_may_have_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache may hold a foreign value: it is as good as none, and costs little."""
    mark = Mark(token="ab12", at=5.0)
    written = written_record(mark)
    spaced = written.ljust(2**20)
    assert read_record(spaced, Mark) == mark
    assert read_record(written.ljust(2**20 + 1), Mark) is None
    foreign = written[:-1] + b',"more":[' + b"[]," * 40_000 + b"0]}"
    decoded: list[bytes] = []
    monkeypatch.setattr(holdings, "decode", decoded.append)
    assert read_record(foreign, Mark) is None
    assert decoded == []
