"""Score leads in batches, in chunks, each lead once, and write the rows to a file or a database.

The number of a lead depends on that lead and the model alone: not on the file's format, its order, the size of the
chunks or the number of threads.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from leadml.bundle.scoring import Batch, batch_id, refused_rows, scored_rows, stage_names
from leadml.errors import LeadmlError, inert
from leadml.leads.sources.source import scoring_source
from leadml.model.predict.explain import contribution_table
from leadml.params import ScoreParams
from leadml.publish.registry import BatchEntry
from leadml.publish.sinks import check_suffix, table_sink
from leadml.publish.text_tables import TextTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.leads.sources.spool import Piece
    from leadml.publish.database import TableWriter
    from leadml.publish.sinks import TableSink
    from leadml.types import Progress


@dataclass(frozen=True)
class ScoreRequest:
    """Which leads are scored, and where the rows go.

    Parameters
    ----------
    file
        The flat leads; None where leads are dated.
    as_of
        The date or time in ISO 8601 as of which dated leads are scored; None for flat ones.
    out
        The file to write, or None for the database of params.
    held_out
        Whether only the leads of the holdout are scored.
    contributions
        Where to write every contribution, or None.
    raw
        Whether CSV is written for machines: text that begins like a formula stays as it is.
    """

    file: Path | None = None
    as_of: str | None = None
    out: Path | None = None
    held_out: bool = False
    contributions: Path | None = None
    raw: bool = False


@dataclass(frozen=True)
class Destination:
    """Where the rows of a request are written.

    Parameters
    ----------
    out, contributions
        Files, or None.
    database
        Address and table, or None; used where there is no ``out``.
    raw
        As for `ScoreRequest`.
    """

    out: Path | None
    contributions: Path | None
    database: tuple[str, str] | None
    raw: bool

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.out or f"table {self.database[1] if self.database else ''}")

    @property
    def not_scored(self) -> Path:
        """Where the refused rows go: beside the file, or into the working folder."""
        out = self.out or Path(f"{self.database[1] if self.database else 'scored'}.csv")
        return out.with_name(f"{out.stem}.not_scored.csv")

    def check(self, sources: Sequence[Path]) -> None:
        """Refuse to write nowhere, over the leads, into their folder, or two tables into one file.

        Parameters
        ----------
        sources
            Files and folders that leads are read from.

        Raises
        ------
        LeadmlError
            Where a place cannot be written to.
        """
        if self.out is None and self.database is None:
            msg = "--out must name a file, or output.database an address, got neither"
            raise LeadmlError(msg)
        written = [path for path in (self.out, self.not_scored, self.contributions) if path is not None]
        taken = [source.resolve() for source in sources]
        for at, path in enumerate(written):
            check_suffix(path)
            place = path.resolve()
            if any(place == source or source in place.parents for source in taken):
                msg = f"{path}: must not be the leads themselves or in their folder; write somewhere else"
                raise LeadmlError(msg)
            if place in {other.resolve() for other in written[:at]}:
                msg = f"{path}: must be a file of its own, got one that is written already; name another"
                raise LeadmlError(msg)


@dataclass(repr=False)
class ScoreSummary:
    """What became of the rows.

    Parameters
    ----------
    batch_id
        Hash of the leads, the model and the choices: the same for the same work.
    rows
        Rows that are scored or refused; together they are ``scored`` and ``not_scored``.
    merged, left_out
        Rows that repeat another, and leads that were not asked for.
    reason_left_out
        Why leads were left out, in words.
    destination
        Where the rows are.
    doubts
        What speaks against the scores, in words.
    scored, not_scored
        Leads that were scored, and rows that were refused.
    defused
        Texts that a spreadsheet would run and that were changed.
    stages
        Leads by advised stage, in order; none where the target drives no stage.
    unknown_levels
        Leads by category whose level the model does not know.
    """

    batch_id: str
    rows: int
    merged: int
    left_out: int
    reason_left_out: str
    destination: Destination
    doubts: tuple[str, ...] = ()
    scored: int = 0
    not_scored: int = 0
    defused: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    unknown_levels: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return what became of the rows, in one line."""
        return f"<{self.scored:,} scored, {self.not_scored:,} not scored: {inert(self.destination.name)}>"

    def _repr_html_(self) -> str:
        """Return the number of leads by stage, for notebooks."""
        rows = [(stage, f"{number:,}") for stage, number in self.stages.items()]
        return TextTable(("stage", "leads"), rows).to_html(repr(self)[1:-1])


def score(model: Model, request: ScoreRequest, *, project: Places | None, now: str, progress: Progress) -> ScoreSummary:
    """Score the leads of a request.

    Parameters
    ----------
    model
        The version.
    request
        Which leads, and where the rows go.
    project
        Where the tables of dated leads and the database are, and how many rows are scored at a time; None where there
        is no ``params.yaml``.
    now
        The instant in ISO 8601, as the rows will say it.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        Where the source as a whole cannot be read, or lacks a column; a row at fault is not scored and listed.
    LeadmlError
        Where flat and dated leads are confused, or the rows cannot be written.
    """
    spec, choices = model.bundle.leads, project.params.score if project else ScoreParams()
    source = scoring_source(spec, project, now=now, file=request.file, held_out=request.held_out)
    database = project.database if project else None
    destination = Destination(request.out, request.contributions, database, request.raw)
    destination.check([*(project.sources if project else ()), *([request.file] if request.file else ())])
    with source.at(request.as_of, progress=progress, rows=choices.chunk_rows) as leads:
        name = batch_id(
            leads.content_hash,
            model.manifest.model_hash,
            model.version,
            request.held_out,
            choices.reasons,
            *leads.stamp.values(),
        )
        batch = Batch(name, model.version, now, choices.reasons, leads.stamp)
        counts = leads.rows, leads.merged, leads.left_out, leads.reason_left_out
        summary = ScoreSummary(name, *counts, destination, leads.doubts)
        summary.stages = dict.fromkeys(stage_names(model.bundle), 0)
        with _opened(destination, summary) as outputs:
            for piece in leads.chunks():
                outputs.write(model, piece, batch, summary)
                progress(f"scored {summary.scored:,} leads")
    if project and model.folder.parent == project.registry.folder.resolve():
        numbers = summary.rows, summary.scored, summary.not_scored
        project.registry.record(BatchEntry(name, now, model.version, *numbers, destination.name))
    return summary


@dataclass(frozen=True)
class _Outputs:
    """The tables that a batch is written to."""

    scores: TableSink | TableWriter
    refused: TableSink
    contributions: TableSink | None

    def write(self, model: Model, piece: Piece, batch: Batch, summary: ScoreSummary) -> None:
        """Score a chunk, write its rows, and count them."""
        scored, explanation = scored_rows(model.bundle, piece.frame, batch)
        self.scores.write(scored)
        self.refused.write(refused_rows(piece.faults))
        if self.contributions is not None:
            self.contributions.write(contribution_table(piece.frame, explanation))
        summary.scored += len(scored)
        summary.not_scored += len({fault.location for fault in piece.faults})
        for stage in summary.stages:
            summary.stages[stage] += int((scored["stage"] == stage).sum())
        for name, number in model.bundle.model.encoder.count_other(piece.frame).items():
            summary.unknown_levels[name] = summary.unknown_levels.get(name, 0) + number


@contextmanager
def _opened(destination: Destination, summary: ScoreSummary) -> Iterator[_Outputs]:
    """Give the tables; they are put in place where the block ends well and every row is accounted for."""
    raw = destination.raw
    with ExitStack() as stack:
        refused = stack.enter_context(table_sink(destination.not_scored, raw=raw))
        long = destination.contributions
        contributions = stack.enter_context(table_sink(long, raw=raw)) if long else None
        scores: TableSink | TableWriter
        if destination.out is not None:
            scores = stack.enter_context(table_sink(destination.out, raw=raw))
        else:
            from leadml.leads.read.database import TableName  # noqa: PLC0415 - an extra
            from leadml.publish.database import table_writer  # noqa: PLC0415

            url, place = destination.database or ("", "")
            *schema, name = place.split(".", 1)
            scores = stack.enter_context(table_writer(url, TableName(name, schema[0] if schema else None)))
        yield _Outputs(scores, refused, contributions)
        summary.defused = scores.harmless
        if summary.rows != summary.scored + summary.not_scored:
            got = f"{summary.rows} of which {summary.scored} + {summary.not_scored}"
            msg = f"every row must be scored or refused, got {got}: a defect of leadml"
            raise RuntimeError(msg)
    if not summary.not_scored:
        destination.not_scored.unlink(missing_ok=True)
