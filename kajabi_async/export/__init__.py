"""Exports of whole lists to Parquet, Arrow, JSON lines and CSV, with a checkpoint that survives a killed process.

::

    report = await export(api.customers.list(include="offers"), "customers.parquet")

Imports `fetching`, `models` and the leaves. Read `job` first: it has `collect` read the pages into a `checkpoint`,
then writes them out.
"""

from kajabi_async.export.batches import RecordBatches, record_batches
from kajabi_async.export.formats import FORMATS
from kajabi_async.export.job import SORTED_BY, export
from kajabi_async.export.report import ExportObserver, ExportProgress, ExportReport, Shift

__all__ = [
    "FORMATS",
    "SORTED_BY",
    "ExportObserver",
    "ExportProgress",
    "ExportReport",
    "RecordBatches",
    "Shift",
    "export",
    "record_batches",
]
