"""Build the rows that scoring publishes, the same for a file, a frame and a database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import LeadmlError, quoted
from leadml.leads.check.contract import KEPT, LEAD_ID, SPLIT_KEY, kept_columns
from leadml.model.predict.explain import Explanation, explain_leads, strongest_reasons
from leadml.stages.exploring import draw_marks
from leadml.stages.grades import grades
from leadml.stages.ladder import LEAD, stages_of
from leadml.stages.lifecycle import KnownStages, Lifecycle, give_stages
from leadml.stages.rules import RuleBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leadml.bundle.contents import Bundle
    from leadml.errors import Fault
    from leadml.leads.sources.leads_as_of import LeadsAsOf
    from leadml.params import Params, ScoreParams
    from leadml.stages.exploring import Marks

REFUSED_COLUMNS = ("where", "lead_id", "column", "reason")


@dataclass(frozen=True)
class Batch:
    """The values that all rows of a scored batch share.

    Parameters
    ----------
    batch_id
        Hash of the leads, the version and the instant: equal batches have equal ids.
    model_version
        Name of the version.
    scored_at
        Instant in ISO 8601.
    reasons
        Number of reasons per row.
    stamp
        Column with the instant as of which leads are scored; empty for flat leads.
    """

    batch_id: str
    model_version: str
    scored_at: str
    reasons: int
    stamp: Mapping[str, str]


def batch_id(
    leads: LeadsAsOf,
    model_hash: str,
    version: str,
    *,
    held_out: bool = False,
    lifecycle: Lifecycle | None = None,
    drawn: Sequence[float] = (),
) -> str:
    """Return the id of a batch: the same leads, instant, version and rules give the same id.

    Parameters
    ----------
    leads
        The leads as they were read.
    model_hash, version
        Hash and name of the version.
    held_out
        Whether only the holdout is scored.
    lifecycle
        Rules and choices of the stages; None for none.
    drawn
        Share and seed of the leads that are explored; empty for none.
    """
    stages = repr(lifecycle or Lifecycle())
    parts = [leads.content_hash, model_hash, version, str(held_out), *leads.stamp.values(), stages, *map(str, drawn)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def scored_rows(
    bundle: Bundle,
    frame: pd.DataFrame,
    batch: Batch,
    known: KnownStages | None = None,
    lifecycle: Lifecycle | None = None,
) -> tuple[pd.DataFrame, Explanation]:
    """Return the rows to publish for checked leads, and their explanation.

    Parameters
    ----------
    bundle
        The version.
    frame
        Checked leads with ``lead_id`` and the fields.
    batch
        The values that all rows share.
    known
        What is known of the stages of the leads; None for nothing.
    lifecycle
        Rules and choices of the stages; None for none.
    """
    explanation = explain_leads(bundle.model, bundle.model.encoder.fields_of(frame))
    fit, engagement = explanation.group_points("fit"), explanation.group_points("engagement")
    low, high = bundle.model.intervals.interval(explanation.probability, explanation.is_new)
    cuts, known = bundle.stages.cuts, known or KnownStages.nothing(len(frame))
    given = give_stages(explanation.probability, cuts, frame, known, lifecycle or Lifecycle())
    first = {**batch.stamp, "target": bundle.target}
    last = {"model_version": batch.model_version, "batch_id": batch.batch_id, "scored_at": batch.scored_at}
    columns: dict[str, Any] = {
        "lead_id": frame[LEAD_ID].to_numpy(),
        **_constant(first, len(frame)),
        "probability": explanation.probability,
        "probability_low": low,
        "probability_high": high,
        "score": 100.0 * explanation.probability,
        "stage": given.stage,
        "stage_source": given.source,
        "previous_stage": stages_of(known.stage) if cuts else given.stage,
        "advised_stage": given.advised,
        "drop": explanation.probability < (bundle.stages.drop.probability if bundle.stages.drop else 0.0),
        "fit": fit,
        "engagement": engagement,
        "grade": grades(fit, engagement, bundle.stages.bands),
        **strongest_reasons(explanation, frame, reasons=batch.reasons),
        **_constant(last, len(frame)),
    }
    return pd.DataFrame(columns), explanation


def with_marks(scored: pd.DataFrame, frame: pd.DataFrame, choices: ScoreParams) -> tuple[pd.DataFrame, Marks | None]:
    """Return scored rows with the column ``explore``, and which leads are explored.

    Rows are as they were, and there are no marks, where no lead is to be explored or the target drives no stage.

    Parameters
    ----------
    scored
        Of `scored_rows`.
    frame
        The leads, with ``split_key`` where leads have accounts: sales work the leads of an account together.
    choices
        Share and seed.
    """
    if not choices.explore or (scored["advised_stage"] == "").all():
        return scored, None
    names = frame[SPLIT_KEY if SPLIT_KEY in frame else LEAD_ID].to_numpy()
    advised = scored["advised_stage"].to_numpy()
    marks = draw_marks(names, advised, share=choices.explore, seed=choices.explore_seed)
    place = scored.columns.tolist().index("drop") + 1
    scored = scored.copy(deep=False)
    scored.insert(place, "explore", marks.is_marked)
    return scored, marks


def with_kept(scored: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return scored rows with the columns that are carried through from their leads, behind the id.

    Raises
    ------
    LeadmlError
        If such a column has the name of one of the scores.
    """
    kept = {name.removeprefix(KEPT): frame[name].to_numpy() for name in kept_columns(frame)}
    if not kept:
        return scored
    if shared := [name for name in kept if name in scored]:
        msg = f"output.keep must not name a column of the scores, got {quoted(shared[0])}; leave it out or rename it"
        raise LeadmlError(msg)
    beside = pd.DataFrame(kept, index=scored.index)
    return pd.concat([scored[[LEAD_ID]], beside, scored.drop(columns=LEAD_ID)], axis=1)


def refused_rows(faults: Iterable[Fault]) -> pd.DataFrame:
    """Return the rows that are refused, with the reason: ``where, lead_id, column, reason``."""
    rows = [(fault.location, fault.lead_id, fault.column, fault.message) for fault in faults]
    return pd.DataFrame(rows, columns=list(REFUSED_COLUMNS), dtype=object)


def lifecycle_of(bundle: Bundle, params: Params | None) -> Lifecycle:
    """Return the rules and choices of params for the fields of a version; those of no params for None.

    Raises
    ------
    ParamsError
        If a rule cannot judge the kind of its field.
    """
    if params is None:
        return Lifecycle()
    rules = RuleBook.of(params.stages.rules, bundle.leads.contract.fields)
    return Lifecycle(rules, params.stages.lifecycle)


def stage_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the advised stages, lowest first; empty if the target drives no stage."""
    return (LEAD, *(cut.stage for cut in bundle.stages.cuts)) if bundle.stages.cuts else ()


def _constant(values: Mapping[str, str], size: int) -> dict[str, Any]:
    return {name: np.full(size, value, dtype=object) for name, value in values.items()}
