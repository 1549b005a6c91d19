"""What scoring flat leads and dated ones share: the order, the rows, the counts.

What enters is checked leads and a bundle; what leaves is rows to publish.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import LeadmlError
from leadml.jobs.as_of import shown_instant
from leadml.leads.check.contract import AS_OF, LEAD_ID
from leadml.leads.check.duplicates import row_hashes
from leadml.model.predict.explain import Explanation, contribution_table, explain_leads, strongest_reasons
from leadml.publish.sinks import check_suffix, table_sink
from leadml.stages.lifecycle import LEAD, StagePlan, advised_stages, grades

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from leadml.bundle.storage import Bundle
    from leadml.errors import Fault
    from leadml.leads.read.files import Dialect
    from leadml.publish.database import TableWriter
    from leadml.publish.sinks import TableSink

NOT_SCORED = ["where", "lead_id", "column", "reason"]


@dataclass(frozen=True)
class ScoreOrder:
    """What is to be scored, with what, and where it goes.

    Parameters
    ----------
    source
        The flat leads; None where leads are dated.
    out
        The file to write, or None.
    database
        Address and table to write to, or None.
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
    as_of
        The instant at which dated leads are looked at, microseconds; None of flat leads.
    """

    source: Path | None
    out: Path | None
    version: str
    scored_at: str
    dialect: Dialect
    chunk_rows: int
    reasons: int
    held_out: bool = False
    contributions: Path | None = None
    raw: bool = False
    as_of: int | None = None
    database: tuple[str, str] | None = None

    @property
    def not_scored(self) -> Path:
        """Where the leads go that could not be scored: beside the file, or into the folder one stands in."""
        out = self.out or Path(f"{self.database[1] if self.database else 'scored'}.csv")
        return out.with_name(f"{out.stem}.not_scored.csv")

    def check(self, bundle: Bundle, sources: Sequence[Path] = ()) -> None:
        """Refuse an order that the bundle cannot fill.

        Parameters
        ----------
        bundle
            The model.
        sources
            The files and folders of dated leads.

        Raises
        ------
        LeadmlError
            Where flat leads and dated ones are confused, or the order names no place for scores.
        """
        if bundle.as_of_settings is not None and self.as_of is None:
            msg = "--as-of must say when dated leads are looked at, got nothing; write --as-of 2026-01-31 for example"
            raise LeadmlError(msg)
        if bundle.as_of_settings is not None and (self.source is not None or self.held_out):
            msg = "dated leads come from the sources of params.yaml, so FILE and --held-out must not be given"
            raise LeadmlError(msg)
        if bundle.as_of_settings is None and (self.as_of is not None or self.source is None):
            msg = "flat leads must be given as FILE, and --as-of must not be; only dated leads are looked at at a date"
            raise LeadmlError(msg)
        if self.out is None and self.database is None:
            msg = "--out must name a file, or output.database an address, got neither"
            raise LeadmlError(msg)
        check_places(self, [*sources, *([self.source] if self.source is not None else [])])


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
        Rows that repeat another to the letter; leads that were not asked for: training did not keep them aside, or they
        are not in the population.
    harmless
        Texts that a spreadsheet would run and that were made harmless.
    stages
        Leads by advised stage, in order; none where the target drives no stage.
    other
        Leads by category whose level the model does not know.
    doubts
        What speaks against the scores, in words.
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
    doubts: list[str] = field(default_factory=list)
    batch_id: str = ""

    @property
    def rows(self) -> int:
        """Rows that had to be scored: those read less those merged or passed over."""
        return self.read - self.merged - self.passed_over


def check_places(order: ScoreOrder, sources: Sequence[Path]) -> None:
    """Refuse to write over the leads, into their folder, or two tables into one file."""
    written = [path for path in (order.out, order.not_scored, order.contributions) if path is not None]
    kept = [source.resolve() for source in sources]
    for at, path in enumerate(written):
        check_suffix(path)
        place = path.resolve()
        if any(place == source or source in place.parents for source in kept):
            msg = f"{path}: must not be the leads themselves or in their folder; write somewhere else"
            raise LeadmlError(msg)
        if place in {other.resolve() for other in written[:at]}:
            msg = f"{path}: must be a file of its own, got one that is written already; name another"
            raise LeadmlError(msg)


@dataclass(frozen=True)
class Outputs:
    """The tables that a batch is written to.

    Parameters
    ----------
    scores, refused
        Leads scored, and leads that could not be.
    contributions
        Every contribution, or None.
    """

    scores: TableSink | TableWriter
    refused: TableSink
    contributions: TableSink | None

    def write(
        self, bundle: Bundle, frame: pd.DataFrame, faults: Sequence[Fault], order: ScoreOrder, counted: Counted
    ) -> None:
        """Score a chunk, write what came of it, and count."""
        scored, explanation = score_frame(bundle, frame, order, counted)
        self.scores.write(scored)
        self.refused.write(pd.DataFrame([_refused(fault) for fault in faults], columns=NOT_SCORED, dtype=object))
        if self.contributions is not None:
            self.contributions.write(contribution_table(frame, explanation))
        counted.scored += len(scored)
        counted.not_scored += len({fault.location for fault in faults})
        for stage in counted.stages:
            counted.stages[stage] += int((scored["stage"] == stage).sum())


@contextmanager
def open_outputs(order: ScoreOrder, counted: Counted) -> Iterator[Outputs]:
    """Give the tables of an order; they are put in place where the block ends well and every row is accounted for.

    Raises
    ------
    LeadmlError
        Where a table cannot be written, or rows went missing, which would be a defect.
    """
    with ExitStack() as stack:
        refused = stack.enter_context(table_sink(order.not_scored, raw=order.raw))
        long = stack.enter_context(table_sink(order.contributions, raw=order.raw)) if order.contributions else None
        scores: TableSink | TableWriter
        if order.out is not None:
            scores = stack.enter_context(table_sink(order.out, raw=order.raw))
        else:
            from leadml.leads.read.database import TableName  # noqa: PLC0415 - an extra
            from leadml.publish.database import table_writer  # noqa: PLC0415

            url, place = order.database or ("", "")
            *schema, name = place.split(".", 1)
            scores = stack.enter_context(table_writer(url, TableName(name, schema[0] if schema else None)))
        yield Outputs(scores, refused, long)
        counted.harmless = scores.harmless
        if counted.rows != counted.scored + counted.not_scored:
            msg = f"rows in must be scored or not, got {counted.rows} of which {counted.scored} + {counted.not_scored}"
            raise LeadmlError(msg)
    if not counted.not_scored:
        order.not_scored.unlink(missing_ok=True)


def score_frame(
    bundle: Bundle, frame: pd.DataFrame, order: ScoreOrder, counted: Counted
) -> tuple[pd.DataFrame, Explanation]:
    """Return the rows to publish for checked leads, and the explanation behind them."""
    encoder = bundle.model.encoder
    plan = StagePlan.from_json(bundle.stages)
    explanation = explain_leads(bundle.model, encoder.fields_of(frame))
    for name, number in encoder.count_other(frame).items():
        counted.other[name] = counted.other.get(name, 0) + number
    fit, engagement = explanation.group_points("fit"), explanation.group_points("engagement")
    stages = advised_stages(explanation.probability, plan.cuts)
    counted.stages = dict.fromkeys((LEAD, *(cut.stage for cut in plan.cuts)) if plan.cuts else (), 0) | counted.stages
    low, high = bundle.model.spread.interval(explanation.probability)
    constant = {
        "model_version": order.version,
        "batch_id": counted.batch_id,
        "scored_at": order.scored_at,
    }
    columns: dict[str, Any] = {
        "lead_id": frame[LEAD_ID].to_numpy(),
        **({} if order.as_of is None else {AS_OF: np.full(len(frame), shown_instant(order.as_of), dtype=object)}),
        "target": np.full(len(frame), bundle.target, dtype=object),
        "probability": explanation.probability,
        "probability_low": low,
        "probability_high": high,
        "score": 100.0 * explanation.probability,
        "stage": stages,
        "stage_source": np.full(len(frame), "advised" if plan.cuts else "", dtype=object),
        "fit": fit,
        "engagement": engagement,
        "grade": grades(fit, engagement, plan.bands),
        **strongest_reasons(explanation, frame, reasons=order.reasons),
        **{name: np.full(len(frame), value, dtype=object) for name, value in constant.items()},
    }
    return pd.DataFrame(columns), explanation


class Digest:
    """A hash of rows and of faults, the same for any size of chunks."""

    def __init__(self) -> None:
        self._rows, self._faults = hashlib.sha256(), hashlib.sha256()

    def add(self, frame: pd.DataFrame, faults: Iterable[Fault] = ()) -> tuple[Any, Any]:
        """Take in a chunk and return the hashes of its ids and of its values."""
        pair = row_hashes(frame)
        self._rows.update(np.ascontiguousarray(np.stack(pair, axis=1)).tobytes())
        self._faults.update("".join(f"{fault}\n" for fault in sorted(map(str, faults))).encode())
        return pair

    def hexdigest(self) -> str:
        """Return the hash of all that was taken in."""
        return hashlib.sha256(self._rows.digest() + self._faults.digest()).hexdigest()


def _refused(fault: Fault) -> tuple[str, str, str, str]:
    return fault.location, fault.lead_id, fault.column, fault.message


def batch_id(digest: str, bundle: Bundle, order: ScoreOrder) -> str:
    """Return the name of a batch: the same for the same leads, model and choices."""
    parts = [digest, bundle.facts["model_hash"], order.version, str(order.held_out), str(order.reasons)]
    parts += [] if order.as_of is None else [str(order.as_of)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
