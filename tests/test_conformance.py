"""The SDK and its fake conform to the official document, operation by operation."""

import pytest

from kajabi_async.operations import OPERATIONS, Operation
from tests.conformance import judged


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=lambda row: row.name)
async def test_an_operation_keeps_to_the_document(row: Operation) -> None:
    """Verb, path, media type and body are as documented, attributes and filters known, and the fake's answer valid."""
    assert (await judged(row)).faults == ()


def test_there_is_a_row_for_each_of_the_77_operations() -> None:
    """The table is complete."""
    assert len(OPERATIONS) == 77
