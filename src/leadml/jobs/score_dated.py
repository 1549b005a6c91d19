"""Score the dated leads that were in the population at one instant, each once.

What enters is a project, a bundle and an instant; what leaves is one table with a row for each lead.
Features are those that training sees: nothing that happened at the instant or later, or was recorded after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from leadml.errors import LeadmlError, ModelError
from leadml.jobs.as_of import AsOfSettings, instant, open_as_of_view, shown_instant
from leadml.jobs.scoring import Counted, Digest, batch_id, open_outputs
from leadml.leads.asof.events import latest_instant
from leadml.leads.asof.snapshots import scoring_snapshots
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.judge.consistency import check_scoring_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from leadml.bundle.storage import Bundle
    from leadml.jobs.project import Progress, Project
    from leadml.jobs.scoring import ScoreOrder
    from leadml.leads.check.contract import Contract


def score_dated(project: Project, bundle: Bundle, order: ScoreOrder, *, progress: Progress) -> Counted:
    """Score the leads of one instant.

    Parameters
    ----------
    project
        Where the tables are.
    bundle
        A model of dated leads.
    order
        Where and how; ``as_of`` says when.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        Where a table lacks a column or an activity or outcome is not what was declared; a lead of which any row is at
        fault is not scored, and that is written down.
    LeadmlError
        Where the instant lies in the future, or sources are declared otherwise than when the model was trained.
    ModelError
        Where the bundle is a model of flat leads.
    """
    order.check(bundle, project.sources)
    if bundle.as_of_settings is None or order.as_of is None:
        msg = "scoring as of a date needs a model of dated leads, got one of flat leads; train with sources and targets"
        raise ModelError(msg)
    as_of_settings, contract = AsOfSettings.from_json(bundle.as_of_settings), bundle.contract
    as_of_settings.check(project.params)
    if order.as_of > latest_instant(instant(order.scored_at, timezone=None)):
        msg = f"--as-of must not lie in the future, got {shown_instant(order.as_of)}; nothing is known of leads then"
        raise LeadmlError(msg)
    with open_as_of_view(project, as_of_settings, contract, now=order.scored_at, progress=progress) as view:
        progress("looking at leads")
        digest, looked = Digest(), 0
        pieces: list[Path] = []
        faulty = {fault.lead_id for fault in view.history.faults}
        for known in scoring_snapshots(view, order.as_of):
            frame = known[~known[LEAD_ID].isin(faulty)].reset_index(drop=True)
            digest.add(frame, view.history.faults if not pieces else ())
            pieces.append(view.history.folder / f"looks-{len(pieces):05}.parquet")
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), pieces[-1], write_page_checksum=True)
            looked += len(frame)
        faults = view.history.faults
        counted = Counted(batch_id=batch_id(digest.hexdigest(), bundle, order))
        counted.read = len(view.history.lead_ids) + len({fault.location for fault in faults})
        counted.doubts = check_scoring_tables(view, bundle.facts["data"]["rows_by_kind"], as_of=order.as_of)
        counted.passed_over = len(view.history.lead_ids) - looked
        with open_outputs(order, counted) as outputs:
            if not looked:
                msg = f"there must be leads to score, got none of {counted.read:,} in the population then"
                raise LeadmlError(msg)
            for number, frame in enumerate(_frames(pieces, contract, order.chunk_rows)):
                outputs.write(bundle, frame, faults if number == 0 else (), order, counted)
                progress(f"scored {counted.scored:,} leads")
    return counted


def _frames(pieces: list[Path], contract: Contract, rows: int) -> Iterator[pd.DataFrame]:
    """Yield what was looked at again, text as objects as the first time."""
    words = [field.name for field in contract.fields if field.kind == "category"]
    for piece in pieces:
        frame = pq.read_table(piece, page_checksum_verification=True).to_pandas()
        frame = frame.astype(dict.fromkeys(words, object))
        frame[words] = frame[words].where(frame[words].notna(), None)
        for first in range(0, len(frame), rows):
            yield frame.iloc[first : first + rows].reset_index(drop=True)
