"""Score leads in chunks, each lead once, and write the rows to a file or a database.

The score of a lead depends only on that lead and the model: not on the format or the order of the file, the size of
the chunks or the number of threads. The module prints nothing.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leadml.bundle.scoring import (
    Batch,
    batch_id,
    lifecycle_of,
    refused_rows,
    scored_rows,
    stage_names,
    with_kept,
    with_marks,
)
from leadml.errors import inert
from leadml.jobs.keep import open_keeper
from leadml.jobs.score_request import Destination, file_choices
from leadml.jobs.shadows import score_shadows
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.sources.source import scoring_source
from leadml.model.predict.explain import contribution_table
from leadml.model.predict.parts import sampled_bytes
from leadml.params import ScoreParams
from leadml.params.review import ChangeLimits
from leadml.publish.sinks import table_sink
from leadml.publish.text_tables import TextTable
from leadml.review.drift.counts import count_leads
from leadml.review.drift.judge import judge_changes, merge_findings
from leadml.stages.ladder import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.bundle.model import Model
    from leadml.bundle.profile import LeadCounts
    from leadml.jobs.places import Places
    from leadml.jobs.score_request import ScoreRequest
    from leadml.leads.judge.findings import Finding
    from leadml.leads.sources.spool import LeadChunk
    from leadml.publish.keeper import Keeper
    from leadml.publish.sink import Sink
    from leadml.stages.lifecycle import Lifecycle
    from leadml.types import Progress


@dataclass(repr=False)
class ScoreSummary:
    """The counts of a scored batch.

    Parameters
    ----------
    batch_id
        Hash of the leads, the model and the choices: equal batches have equal ids.
    rows
        Number of rows that are scored or refused: the sum of ``scored`` and ``not_scored``.
    merged, left_out
        Number of rows that repeat another row, and of leads that were not to be scored.
    reason_left_out
        Why leads were left out, in words.
    destination
        Where the rows were written.
    doubts
        Reasons to distrust the scores, in words.
    not_kept
        Why the scores are not kept in the store, in words; empty if they are.
    stamp
        How little the version learnt from, in a sentence; empty if leads and conversions were enough.
    not_applied
        The business's own rules that are not applied, in words, because the model does not have their field.
    scored, not_scored
        Number of leads that were scored, and of rows that were refused.
    defused
        Number of texts that a spreadsheet would run as a formula and that were escaped.
    stages
        Number of leads by stage; empty if the target drives no stage.
    unknown_levels
        Number of leads by category field whose level the model does not know.
    counts
        Counts of the scored leads by the bins of the training's profile; None before a chunk is scored.
    changes
        Whether the leads are like those of the training: findings of the topic ``review``.
    """

    batch_id: str
    rows: int
    merged: int
    left_out: int
    reason_left_out: str
    destination: Destination
    doubts: tuple[str, ...] = ()
    not_kept: str = ""
    stamp: str = ""
    not_applied: tuple[str, ...] = ()
    scored: int = 0
    not_scored: int = 0
    defused: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    unknown_levels: dict[str, int] = field(default_factory=dict)
    counts: LeadCounts | None = None
    changes: tuple[Finding, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to look at the scores before they are used: all doubts, and a line for each kind of change."""
        changes = merge_findings([finding for finding in self.changes if finding.severity == "warn"])
        return (*self.doubts, *map(str, changes))

    def __repr__(self) -> str:
        """Return the numbers of scored and refused rows in one line."""
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
        The project, which names the tables of dated leads, the database and the size of chunks; None without a
        ``params.yaml``.
    now
        The instant in ISO 8601 for the column ``scored_at``.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the source cannot be read or has a missing column. A row with a fault is no error: it is listed as refused.
    LeadmlError
        If the request does not fit the kind of leads (flat or dated), or the rows cannot be written.
    """
    spec, choices = model.bundle.leads, project.params.score if project else ScoreParams()
    lifecycle = lifecycle_of(model.bundle, project.params if project else None)
    source = scoring_source(
        spec,
        project,
        now=now,
        file=request.file,
        held_out=request.held_out,
        only_open=request.only_open,
        keep=project.params.output.keep if project else (),
    )
    database = project.database if project else None
    files = file_choices(project.params if project else None, raw=request.raw)
    destination = Destination(request.out, request.contributions, database, files)
    destination.check([*(project.sources if project else ()), *([request.file] if request.file else ())])
    stamp = source.stamp(request.as_of)
    with (
        open_keeper(model, project, out=request.out, stamp=stamp, now=now, progress=progress) as keeper,
        source.at(request.as_of, progress=progress, rows=choices.chunk_rows) as leads,
    ):
        version, held_out = model.scored_version, request.held_out
        drawn = (choices.explore, choices.explore_seed) if choices.explore else ()
        name = batch_id(leads, model.manifest.model_hash, version, held_out=held_out, lifecycle=lifecycle, drawn=drawn)
        scored_at = keeper.begin(name, now=now)
        keeper.note_outcomes(leads.outcomes())
        batch = Batch(name, version, scored_at, choices.reasons, leads.stamp)
        counts = leads.rows, leads.merged, leads.left_out, leads.reason_left_out
        summary = ScoreSummary(name, *counts, destination, leads.doubts, keeper.not_kept, model.bundle.record.stamp)
        summary.not_applied = tuple(rule.words for rule in lifecycle.rules.not_applicable)
        summary.stages = dict.fromkeys(stage_names(model.bundle), 0)
        with _open_outputs(destination, summary, lifecycle, choices) as outputs:
            for chunk in leads.chunks():
                outputs.write(model, chunk, batch, summary, keeper)
                progress(f"scored {summary.scored:,} leads")
            counted = None if summary.counts is None else json.dumps(summary.counts.to_json(), separators=(",", ":"))
            keeper.fill(scored=summary.scored, not_scored=summary.not_scored, counts=counted)
        keeper.complete()
        if project is not None and not keeper.not_kept and not held_out:
            summary.doubts += score_shadows(model, project, keeper, request, now=now, progress=progress)
    if summary.counts is not None:
        _compare(model, summary, summary.counts, project.params.review.changes if project else ChangeLimits())
    return summary


def _compare(model: Model, summary: ScoreSummary, counts: LeadCounts, limits: ChangeLimits) -> None:
    """Compare the scored leads with those of the training: unknown levels, and changes to look at."""
    profile = model.bundle.profile
    categories = [name for name, bins in profile.bins.items() if bins.kind == "category"]
    summary.unknown_levels = {name: counts.fields[name].bins[-1] for name in categories}
    summary.changes = tuple(judge_changes(profile, counts, limits))


@dataclass(frozen=True)
class _Outputs:
    """The open files and tables that a batch is written to."""

    lifecycle: Lifecycle
    choices: ScoreParams
    scores: Sink
    refused: Sink
    contributions: Sink | None

    def write(self, model: Model, chunk: LeadChunk, batch: Batch, summary: ScoreSummary, keeper: Keeper) -> None:
        """Score a chunk, write its rows, keep them, and count them."""
        known = keeper.known(chunk.frame[LEAD_ID].tolist())
        scored, explanation = scored_rows(model.bundle, chunk.frame, batch, known, self.lifecycle)
        scored, marks = with_marks(scored, chunk.frame, self.choices)
        self.scores.write(with_kept(scored, chunk.frame))
        names, lead_ids = model.bundle.reference.parts, scored[LEAD_ID].to_numpy()
        keeper.add(scored, sampled_bytes(explanation, names, lead_ids, leads=summary.rows), marks)
        self.refused.write(refused_rows(chunk.faults))
        if self.contributions is not None:
            self.contributions.write(contribution_table(chunk.frame, explanation))
        summary.scored += len(scored)
        summary.not_scored += len({fault.location for fault in chunk.faults})
        for stage in STAGES if summary.stages else ():
            number = int((scored["stage"] == stage).sum())
            if number or stage in summary.stages:
                summary.stages[stage] = summary.stages.get(stage, 0) + number
        values, probability, bundle = explanation.values, explanation.probability, model.bundle
        counts = count_leads(bundle.profile, values, probability, names=model.fields, cuts=bundle.stages.cuts)
        summary.counts = counts if summary.counts is None else summary.counts + counts


@contextmanager
def _open_outputs(
    destination: Destination, summary: ScoreSummary, lifecycle: Lifecycle, choices: ScoreParams
) -> Iterator[_Outputs]:
    """Give the outputs; they are published if the block ends without an error and every row is accounted for."""
    with ExitStack() as stack:
        refused = stack.enter_context(table_sink(destination.not_scored, destination.choices))
        path = destination.contributions
        contributions = stack.enter_context(table_sink(path, destination.choices)) if path else None
        scores: Sink
        if destination.out is not None:
            scores = stack.enter_context(table_sink(destination.out, destination.choices))
        else:
            from leadml.leads.read.database import TableName  # noqa: PLC0415 - an extra
            from leadml.publish.database import table_writer  # noqa: PLC0415

            url, table = destination.database or ("", "")
            scores = stack.enter_context(table_writer(url, TableName.parse(table)))
        yield _Outputs(lifecycle, choices, scores, refused, contributions)
        summary.defused = scores.defused
        if summary.rows != summary.scored + summary.not_scored:
            got = f"{summary.rows} rows, {summary.scored} scored and {summary.not_scored} refused"
            msg = f"every row must be scored or refused, got {got}: this is a bug of leadml"
            raise RuntimeError(msg)
    if not summary.not_scored:
        destination.not_scored.resolve().unlink(missing_ok=True)  # a link to it stays, for the next batch
