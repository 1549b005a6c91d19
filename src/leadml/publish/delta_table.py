"""Append tables of leads to a Delta table, which keeps every batch and can be read as of an earlier one.

https://delta.io: a folder of Parquet files and a log. A batch is one commit. A batch that the table has already is not
appended again, so that a job that is repeated changes nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadml.errors import LeadmlError, MissingExtraError
from leadml.publish.files import temporary_beside, writing
from leadml.publish.sink import BATCH
from leadml.publish.table_file import TableFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from leadml.publish.sink import FileChoices


class DeltaTable:
    """Delta tables: folders whose names end in ``.delta``."""

    suffix = ".delta"

    @contextmanager
    def open(self, path: Path, choices: FileChoices) -> Iterator[_BatchFile]:  # noqa: ARG002 - always unchanged
        """Give a sink whose rows are appended in one commit when the block ends without an error."""
        delta = _deltalake()
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # a commit needs all rows at once; they wait in a file, not in memory
            with temporary_beside(path) as waiting:
                file = _BatchFile(waiting)
                try:
                    yield file
                finally:
                    file.close()
                if file.is_begun:
                    _append(delta, path, waiting, file.batches)

    def holds(self, path: Path, batch_id: str) -> bool:
        """Return whether the table has the rows of a batch."""
        delta = _deltalake()
        is_table = delta.DeltaTable.is_deltatable(str(path))
        return is_table and delta.DeltaTable(str(path)).transaction_version(batch_id) is not None

    def rows(self, path: Path, batch_id: str) -> Iterator[pd.DataFrame]:
        """Yield the rows of a batch."""
        table = _deltalake().DeltaTable(str(path)).to_pyarrow_dataset()
        for part in table.to_batches(filter=pc.field(BATCH) == batch_id):
            yield part.to_pandas()


class _BatchFile(TableFile):
    """A Parquet file that knows which batches its rows are of."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: set[str] = set()

    def write(self, frame: pd.DataFrame) -> None:
        if BATCH not in frame:
            msg = f"rows of a Delta table must have a {BATCH}, so that a batch is there once, got none; write .parquet"
            raise LeadmlError(msg)
        super().write(frame)
        self.batches |= set(frame[BATCH].unique())


def _append(delta: Any, path: Path, rows: Path, batches: set[str]) -> None:
    """Append the rows of a Parquet file in one commit, unless the table has their batches already."""
    try:
        exists = delta.DeltaTable.is_deltatable(str(path))
        table = delta.DeltaTable(str(path)) if exists else None
        if table is not None and all(table.transaction_version(batch) is not None for batch in batches):
            return
        with pq.ParquetFile(rows) as file:
            reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
            commit = delta.CommitProperties(app_transactions=[delta.Transaction(batch, 1) for batch in sorted(batches)])
            delta.write_deltalake(table or str(path), reader, mode="append", commit_properties=commit)
    except Exception as error:  # noqa: BLE001 - deltalake raises plain exceptions of its core
        reason = str(error).splitlines()[0]
        msg = f"{path}: must be a Delta table that takes these rows, got: {reason}; nothing was appended"
        raise LeadmlError(msg) from None


def _deltalake() -> Any:
    try:
        import deltalake  # noqa: PLC0415 - an extra
    except ImportError:
        msg = "deltalake is not installed: pip install 'leadml[delta]', or write .parquet"
        raise MissingExtraError(msg) from None
    return deltalake
