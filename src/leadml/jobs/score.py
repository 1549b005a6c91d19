"""Score leads in batches, in chunks, each lead once.

What enters is a file of leads and a bundle; what leaves is one file with a row for each lead, and one with the leads
that could not be scored and why.
The number of a lead depends on that lead and the bundle alone: not on the file's format, its order, the chunk's size
or the number of threads.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import DataError, Fault, LeadmlError
from leadml.leads.duplicates import conflict_faults, find_duplicates, row_hashes
from leadml.leads.load import check_header, checked_chunks
from leadml.leads.schema import LEAD_ID
from leadml.model.explain import Explanation, contribution_table, explain_leads, strongest_reasons
from leadml.publish.sinks import check_suffix, table_sink
from leadml.stages.lifecycle import StagePlan, advised_stages, grades

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.project import Progress
    from leadml.leads.check import Checked
    from leadml.leads.duplicates import Duplicates
    from leadml.leads.ingest import Dialect
    from leadml.leads.schema import Contract
    from leadml.model.bundle import Bundle

NOT_SCORED = ["where", "lead_id", "column", "reason"]


@dataclass(frozen=True)
class ScoreOrder:
    """What is to be scored, with what, and where it goes.

    Parameters
    ----------
    source, out
        The leads, and the file to write.
    version
        Name of the bundle's version, as the rows will say it.
    scored_at
        The instant in ISO 8601, as the rows will say it.
    dialect
        How CSV files are written.
    chunk_rows, reasons
        Rows at a time; reasons to show.
    held_out
        Score only the leads that training kept aside.
    contributions
        Where to write every contribution, or None.
    raw
        Write CSV as it came, for machines.
    """

    source: Path
    out: Path
    version: str
    scored_at: str
    dialect: Dialect
    chunk_rows: int
    reasons: int
    held_out: bool = False
    contributions: Path | None = None
    raw: bool = False

    @property
    def not_scored(self) -> Path:
        """Where the leads go that could not be scored."""
        return self.out.with_name(f"{self.out.stem}.not_scored.csv")


@dataclass
class Counted:
    """What became of the rows.

    Parameters
    ----------
    read
        Rows of the file.
    scored, not_scored
        Leads scored, and rows that were not; together they are ``rows``.
    merged, passed_over
        Rows that repeat another to the letter; leads that training did not keep aside, where only those were asked for.
    harmless
        Texts that a spreadsheet would run and that were made harmless.
    stages
        Leads by advised stage.
    other
        Leads by category whose level the model does not know.
    batch_id
        Hash of the leads and the model: the same for the same work.
    """

    read: int = 0
    scored: int = 0
    not_scored: int = 0
    merged: int = 0
    passed_over: int = 0
    harmless: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)
    batch_id: str = ""

    @property
    def rows(self) -> int:
        """Rows that had to be scored: those read less those merged or passed over."""
        return self.read - self.merged - self.passed_over


def score(bundle: Bundle, order: ScoreOrder, *, progress: Progress) -> Counted:
    """Score a file of leads.

    Parameters
    ----------
    bundle
        The model.
    order
        What, where and how.
    progress
        Called with a line as rows are done.

    Raises
    ------
    DataError
        Where the file as a whole cannot be read, or lacks a column.
    LeadmlError
        Where the result cannot be written, or rows went missing, which would be a defect.
    """
    _check_places(order)
    contract = bundle.contract
    if not (order.held_out and bundle.holdout.since is not None):
        contract = replace(contract, created_at=None)  # a lead needs its date only to tell whether training saw it
    check_header(order.source, contract, order.dialect)
    progress("looking for repeated leads")
    duplicates, digest = _survey(contract, order)
    counted = Counted(batch_id=_batch_id(digest, bundle, order))
    seen = _Digest()
    with ExitStack() as stack:
        sink = stack.enter_context(table_sink(order.out, raw=order.raw))
        refused = stack.enter_context(table_sink(order.not_scored, raw=order.raw))
        long = stack.enter_context(table_sink(order.contributions, raw=order.raw)) if order.contributions else None
        rows_done = 0
        for checked in checked_chunks(order.source, contract, order.dialect, rows=order.chunk_rows):
            seen.add(checked)
            here = slice(rows_done, rows_done + len(checked.frame))
            rows_done = here.stop
            frame, faults = _scorable(checked, duplicates, here, counted)
            if order.held_out:
                aside = bundle.holdout.mask(frame)
                counted.passed_over += int((~aside).sum())
                frame = frame[aside].reset_index(drop=True)
            scored, explanation = score_frame(bundle, frame, order, counted)
            sink.write(scored)
            refused.write(_refused_frame(faults))
            if long is not None:
                long.write(contribution_table(frame, explanation))
            _count(counted, checked, scored, faults)
            progress(f"scored {counted.scored:,} leads")
        counted.harmless = sink.harmless
        if counted.rows != counted.scored + counted.not_scored:
            msg = f"rows in must be scored or not, got {counted.rows} of which {counted.scored} + {counted.not_scored}"
            raise LeadmlError(msg)
        if seen.hexdigest() != digest:
            raise DataError([Fault(order.source.name, "must not change while it is read; run again")])
    if not counted.not_scored:
        order.not_scored.unlink(missing_ok=True)
    return counted


def _check_places(order: ScoreOrder) -> None:
    """Refuse to write over the leads, into their folder, or two tables into one file."""
    written = [order.out, order.not_scored, *([order.contributions] if order.contributions else [])]
    for at, path in enumerate(written):
        check_suffix(path)
        place = path.resolve()
        if place == order.source.resolve() or order.source.resolve() in place.parents:
            msg = f"{path}: must not be the leads themselves or in their folder; write somewhere else"
            raise LeadmlError(msg)
        if place in {other.resolve() for other in written[:at]}:
            msg = f"{path}: must be a file of its own, got one that is written already; name another"
            raise LeadmlError(msg)


def score_frame(
    bundle: Bundle, frame: pd.DataFrame, order: ScoreOrder, counted: Counted
) -> tuple[pd.DataFrame, Explanation]:
    """Return the rows to publish for checked leads, and the explanation behind them."""
    encoder = bundle.model.encoder
    plan = StagePlan.from_json(bundle.stages)
    explanation = explain_leads(bundle.model, encoder.encode(frame))
    for name, number in encoder.count_other(frame).items():
        counted.other[name] = counted.other.get(name, 0) + number
    fit, engagement = explanation.group_points("fit"), explanation.group_points("engagement")
    stages = advised_stages(explanation.probability, plan.cuts)
    constant = {
        "model_version": order.version,
        "batch_id": counted.batch_id,
        "scored_at": order.scored_at,
    }
    columns: dict[str, Any] = {
        "lead_id": frame[LEAD_ID].to_numpy(),
        "target": np.full(len(frame), bundle.target, dtype=object),
        "probability": explanation.probability,
        "score": 100.0 * explanation.probability,
        "stage": stages,
        "stage_source": np.full(len(frame), "advised", dtype=object),
        "fit": fit,
        "engagement": engagement,
        "grade": grades(fit, engagement, plan.bands),
        **strongest_reasons(explanation, frame, reasons=order.reasons),
        **{name: np.full(len(frame), value, dtype=object) for name, value in constant.items()},
    }
    return pd.DataFrame(columns), explanation


class _Digest:
    """A hash of rows and of faults, the same for any size of chunks."""

    def __init__(self) -> None:
        self._rows, self._faults = hashlib.sha256(), hashlib.sha256()

    def add(self, checked: Checked) -> tuple[Any, Any]:
        """Take in a chunk and return the hashes of its ids and of its values."""
        pair = row_hashes(checked.frame)
        self._rows.update(np.ascontiguousarray(np.stack(pair, axis=1)).tobytes())
        self._faults.update("".join(f"{fault}\n" for fault in sorted(map(str, checked.faults))).encode())
        return pair

    def hexdigest(self) -> str:
        """Return the hash of all that was taken in."""
        return hashlib.sha256(self._rows.digest() + self._faults.digest()).hexdigest()


def _survey(contract: Contract, order: ScoreOrder) -> tuple[Duplicates, str]:
    """Return which good rows repeat or contradict another, and a hash of all rows, from a first pass over the file."""
    id_hashes, value_hashes, digest = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)], _Digest()
    for checked in checked_chunks(order.source, contract, order.dialect, rows=order.chunk_rows):
        pair = digest.add(checked)
        id_hashes.append(pair[0])
        value_hashes.append(pair[1])
    return find_duplicates(np.concatenate(id_hashes), np.concatenate(value_hashes)), digest.hexdigest()


def _batch_id(digest: str, bundle: Bundle, order: ScoreOrder) -> str:
    parts = (digest, bundle.facts["model_hash"], order.version, str(order.held_out), str(order.reasons))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _scorable(
    checked: Checked, duplicates: Duplicates, here: slice, counted: Counted
) -> tuple[pd.DataFrame, list[Fault]]:
    merged, conflicting = duplicates.merged[here], duplicates.conflicting[here]
    counted.merged += int(merged.sum())
    clashes = np.flatnonzero(conflicting)
    faults = [*checked.faults, *conflict_faults([(checked.where[at], checked.frame[LEAD_ID][at]) for at in clashes])]
    return checked.frame[~merged & ~conflicting].reset_index(drop=True), faults


def _count(counted: Counted, checked: Checked, scored: pd.DataFrame, faults: list[Fault]) -> None:
    counted.scored += len(scored)
    counted.not_scored += len({fault.where for fault in faults})
    counted.read += checked.rows
    for stage, number in scored["stage"].value_counts().items():
        counted.stages[str(stage)] = counted.stages.get(str(stage), 0) + int(number)


def _refused_frame(faults: list[Fault]) -> pd.DataFrame:
    rows = [(fault.where, fault.lead_id, fault.column, fault.message) for fault in faults]
    return pd.DataFrame(rows, columns=NOT_SCORED, dtype=object)
