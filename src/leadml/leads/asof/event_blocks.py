"""Write activities and outcomes into the blocks of their leads, each a file that is read when the block is used."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadml.leads.asof.coverage import Coverage
from leadml.leads.check.contract import RECORDED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from leadml.leads.asof.events import Events
    from leadml.leads.asof.history import LeadHistory


def add_events(history: LeadHistory, name: str, events: Iterable[Events], schema: pa.Schema) -> LeadHistory:
    """Write activities or outcomes into the blocks of their leads and return the history with them.

    Parameters
    ----------
    history
        The leads.
    name
        ``activities`` or ``outcomes``.
    events
        Chunks of activities or outcomes.
    schema
        The columns of the chunks; the fourth has the code of the kind or the outcome.
    """
    rows, unknown = 0, 0
    coverage, unknown_ids, rows_by_code = None, history.unknown_ids, Counter[int]()
    code = schema.names[3]
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(path, schema)) for path in _block_paths(history, name)]
        for chunk in events:
            rows += chunk.rows
            unknown += chunk.unknown
            unknown_ids = ({name: chunk.unknown_id} if chunk.unknown_id else {}) | unknown_ids
            if chunk.table.num_rows:
                coverage = Coverage.of(chunk.table[RECORDED_AT].to_numpy()).combine(coverage)
                numbers = np.bincount(chunk.table[code].to_numpy() + 1).tolist()
                rows_by_code.update(dict(enumerate(numbers, start=-1)))
                _write_to_blocks(chunk.table, history.block_leads, writers)
    return replace(
        history,
        coverage=history.coverage | ({name: coverage} if coverage else {}),
        counts={**history.counts, name: rows, f"{name}_of_unknown_leads": unknown},
        rows_by_code=history.rows_by_code | {name: rows_by_code},
        unknown_ids=unknown_ids,
    )


def _block_paths(history: LeadHistory, name: str) -> Iterator[Path]:
    blocks = -(-len(history.lead_ids) // history.block_leads)
    return (history.folder / f"{name}-{number:05}.parquet" for number in range(blocks))


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)


def _write_to_blocks(table: pa.Table, block_leads: int, writers: Sequence[pq.ParquetWriter]) -> None:
    """Write each row into the block of its lead."""
    block = table["lead"].to_numpy() // block_leads
    order = np.argsort(block, kind="stable")
    edges = np.searchsorted(block[order], np.arange(len(writers) + 1))
    table = table.take(pa.array(order))
    for number, (start, stop) in enumerate(pairwise(edges)):
        if stop > start:
            writers[number].write_table(table.slice(start, stop - start))
