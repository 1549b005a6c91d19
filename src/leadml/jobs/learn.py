"""Learn a bundle from a training set. The module reads and writes no file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.bundle.contents import Bundle
from leadml.bundle.manifest import SplitRecord, TrainingRecord
from leadml.errors import ModelError, quoted
from leadml.jobs.assess import assess, refuse_stops
from leadml.jobs.weighed import EACH_ONCE
from leadml.leads.check.contract import LABEL, MATURE_AT
from leadml.leads.check.duplicates import row_hashes
from leadml.leads.read.files import Dialect
from leadml.leads.sources.source import LeadSpec
from leadml.leads.split import PartSize, column_of
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.baselines import baseline_probabilities
from leadml.model.judge.calibration_line import log_odds
from leadml.model.judge.evaluation import evaluate_holdout
from leadml.model.judge.null_interval import Reference
from leadml.model.judge.predictions import HoldoutPredictions
from leadml.model.judge.weakness import weakness
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.parts import part_log_odds, strongest_parts
from leadml.params import normal_name
from leadml.review.drift.training import training_profile
from leadml.stages.cuts import solve_cuts
from leadml.stages.grades import GradeBands, grade_bands
from leadml.stages.plan import StagePlan
from leadml.stages.stability import stage_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from leadml.jobs.weighed import Weighing
    from leadml.leads.check.contract import Contract
    from leadml.leads.judge.findings import Finding
    from leadml.leads.sources.training_set import TrainingParts, TrainingSet
    from leadml.leads.split import Split
    from leadml.model.fit.estimator import FitResult
    from leadml.model.judge.evaluation import Evaluation
    from leadml.params import Params
    from leadml.params.cut_rule import CutRule
    from leadml.stages.cuts import Cuts
    from leadml.types import Floats, Progress, Rows

# For speed; the share of leads below a quartile is then known to 1.96 * sqrt(0.25 * 0.75 / 20,000) = 0.6 points.
MAX_EXPLAINED_ROWS = 20_000
# The sections of the params that decide what is learnt from given rows; fields and snapshots are read from the leads.
RECIPE = (
    "data", "sources", "target", "targets", "snapshots", "features", "split", "model", "calibration", "baselines",
)  # fmt: skip
# Of them what says where the rows lie, and what changes no number.
PLACES = {"path", "url", "table", "query", "encoding", "delimiter", "observed_until", "threads"}


def learn(
    training: TrainingSet,
    params: Params,
    *,
    target: str,
    trained_at: str,
    progress: Progress,
    accept_weak: str = "",
    everything: pd.DataFrame | None = None,
    weighing: Weighing = EACH_ONCE,
) -> Bundle:
    """Return the bundle of a training set: assess the data, fit and calibrate a model, solve its cuts, evaluate it.

    The same arguments give the same bundle.

    Parameters
    ----------
    training
        Labelled rows.
    params
        The choices.
    target
        Name of the target.
    trained_at
        The instant of the training in ISO 8601, for the record.
    progress
        Called with the name of each step as it begins.
    accept_weak
        A person's reason to use the model even if it is weak; kept only if it is.
    everything
        All rows whose outcomes are known, on which the model is fitted again once it is evaluated; None to use the
        model that was evaluated.
    weighing
        How often leads count in the fit and in the evaluation.

    Raises
    ------
    ModelError
        If the data are not ready, a leak is suspected, a rule of the stages has no cut, or ``review.slices`` names a
        field that the model does not have.
    """
    findings = assess(training, params, progress=progress)
    refuse_stops(findings)
    parts, contract, split = training.parts(), training.contract, weighing.split(training.split)
    slices = _slices(contract, params)
    rows, counted = parts.learn, weighing.parts(parts)
    fitted, cuts, stages = _fitted(counted.learn, contract, split, params, target=target, progress=progress)
    progress("evaluating on the holdout")
    copies = weighing.copies(parts.holdout)
    evaluation, reference = _evaluate(fitted, stages, counted, split, params, copies=copies)
    holdout = training.holdout
    if everything is not None:
        rows, holdout = everything, replace(holdout, share=0.0, since=int(everything[MATURE_AT].max()))
        learnt = weighing.rows(rows)
        fitted, cuts, stages = _fitted(learnt, contract, split, params, target=target, progress=progress)
    profile = training_profile(fitted, rows, parts.holdout, cuts=cuts.cuts, clock=split.clock, slices=slices)
    fitted = _with_choices(fitted, stages, weighing.counts(training.frame))
    record = _record(training, parts, params, findings, fitted, trained_at=trained_at)
    why_not, again = weakness(evaluation), 0 if everything is None else len(everything)
    accepted = accept_weak if why_not else ""
    return Bundle(
        target=target,
        leads=LeadSpec(
            contract=replace(contract, label=None, sensitive=()),
            settings=training.settings,
            dialect=Dialect.from_params(params.data),
            holdout=holdout,
            rows_by_kind=training.facts.rows_by_kind,
        ),
        model=fitted.model,
        stages=stages,
        profile=profile,
        evaluation=evaluation,
        reference=reference,
        candidates=cuts.sample_candidates(),
        record=replace(record, weakness=why_not, accepted_weak=accepted, fitted_again=again),
    )


def _fitted(
    rows: pd.DataFrame, contract: Contract, split: Split, params: Params, *, target: str, progress: Progress
) -> tuple[FitResult, Cuts, StagePlan]:
    """Return the model of some rows, with its cuts and stages."""
    fitted = fit_model(rows, contract.fields, params, split=split, rules=params.baselines.points, progress=progress)
    progress("solving the cuts")
    cuts = _cuts(fitted, params, target)
    return fitted, cuts, StagePlan(cuts.cuts, _bands(fitted, rows), cuts.drop)


def _cuts(fitted: FitResult, params: Params, target: str) -> Cuts:
    """Return the cuts, solved on the out-of-fold probabilities."""
    try:
        return cuts_on(fitted.rows, fitted.probability, params, target=target, groups=fitted.clusters)
    except ModelError as error:
        msg = f"{error} (only the fit can find this: leadml check does not)"
        raise ModelError(msg) from None


def cuts_on(
    rows: pd.DataFrame, probability: Floats, params: Params, *, target: str, groups: NDArray[Any] | None
) -> Cuts:
    """Return the cuts by the rules of the params, solved on rows that the model was not fitted on.

    Parameters
    ----------
    rows
        With ``converted`` and the fields that rules read.
    probability
        Of each row, shape (n_rows,).
    params
        The choices.
    target
        Name of the target.
    groups
        The group of each row, shape (n_rows,); None where rows are independent.

    Raises
    ------
    ModelError
        If a rule has no solution.
    """
    rules, label = rules_of(params, target), rows[LABEL].to_numpy()
    if missing := [name for rule in rules.values() for name in rule.columns if normal_name(name) not in rows]:
        msg = f"a rule of the stages reads {quoted(missing[0])}, which the version does not have"
        raise ModelError(msg)
    columns = {name: rows[normal_name(name)] for rule in rules.values() for name in rule.columns}
    return solve_cuts(probability, label, rules, groups=groups, columns=columns, crossing=params.stages.crossing)


def rules_of(params: Params, target: str) -> dict[str, CutRule]:
    """Return the rules of the cuts that a target drives, with that of the dropped leads where it drives any."""
    rules: dict[str, CutRule] = {stage: getattr(params.stages, stage) for stage in params.drives(target)}
    return rules | ({"drop": params.stages.drop} if rules and params.stages.drop is not None else {})


def _slices(contract: Contract, params: Params) -> list[str]:
    """Return the fields that the review is split by."""
    names = [normal_name(name) for name in params.review.slices]
    known = {field.name for field in contract.fields}
    if unknown := [name for name in names if name not in known]:
        msg = f"review.slices must name fields of the model, got {quoted(unknown[0])}; declare it in features"
        raise ModelError(msg)
    return names


def _bands(fitted: FitResult, learn: pd.DataFrame) -> GradeBands:
    """Return the grade bands of the rows that were fitted on; of many rows an evenly spaced sample is used."""
    sample = learn.iloc[:: -(-len(learn) // MAX_EXPLAINED_ROWS)]
    explanation = explain_leads(fitted.model, fitted.model.encoder.fields_of(sample))
    groups = {field.group for field in explanation.fields}
    points = [explanation.group_points(group) if group in groups else None for group in ("fit", "engagement")]
    return grade_bands(*points)


def _evaluate(
    fitted: FitResult, stages: StagePlan, parts: TrainingParts, split: Split, params: Params, *, copies: Rows
) -> tuple[Evaluation, Reference]:
    """Return the evaluation on the holdout, and what it says of the errors of the probabilities.

    ``copies`` numbers the rows of the holdout; copies of a row have one number.
    """
    holdout, model = parts.holdout, fitted.model
    explanation = explain_leads(model, model.encoder.fields_of(holdout))
    predictions = HoldoutPredictions(
        label=holdout[LABEL].to_numpy(dtype=np.int8),
        probability=explanation.probability,
        points=explanation.topic_points,
        fields=explanation.topics,
        cuts={cut.stage: cut.probability for cut in stages.cuts},
        baselines=baseline_probabilities(parts.learn, holdout, model.encoder.fields, params),
        groups=column_of(holdout, split.cluster),
        copies=copies,
    )
    names, groups = strongest_parts(explanation), predictions.groups
    values = dict(zip(names, part_log_odds(explanation, names).T, strict=True))
    codes = None if groups is None else pd.factorize(groups)[0]
    reference = Reference.of(log_odds(explanation.probability), predictions.label, values, groups=codes)
    return evaluate_holdout(predictions, params.evaluation, seed=params.split.seed), reference


def _with_choices(fitted: FitResult, stages: StagePlan, counts: Mapping[str, float | str]) -> FitResult:
    """Return a fit whose choices tell how leads count, and how many another training would bring into another stage."""
    deviation, cuts = float(fitted.choices["sampling_deviation"]), [cut.probability for cut in stages.cuts]
    changes = stage_changes(fitted.probability, cuts, deviation)
    return replace(fitted, choices=dict(fitted.choices) | {"stage_changes": changes} | dict(counts))


def _record(
    training: TrainingSet,
    parts: TrainingParts,
    params: Params,
    findings: list[Finding],
    fitted: FitResult,
    *,
    trained_at: str,
) -> TrainingRecord:
    resolved = json.dumps(params.as_written(), sort_keys=True)
    learn, holdout = (_size(frame, training.split) for frame in (parts.learn, parts.holdout))
    return TrainingRecord(
        trained_at=trained_at,
        unit=training.settings.unit,
        data=training.facts,
        rows=len(training.frame),
        conversions=int(training.frame[LABEL].sum()),
        data_hash=data_hash(training.frame),
        params_hash=hashlib.sha256(resolved.encode()).hexdigest(),
        recipe_hash=recipe_hash(params),
        label_hash=label_hash(training.contract),
        excluded=dict(params.features.excluded),
        accepted_leaks=dict(params.leaks.accept),
        findings=tuple(finding for finding in findings if finding.severity in {"stop", "warn"}),
        choices=fitted.choices,
        is_small=any(finding.code in {"RD1", "RD2"} and finding.severity == "warn" for finding in findings),
        split=SplitRecord(training.split.name, learn, holdout, fitted.folds),
        weakness="",
        accepted_weak="",
        fitted_again=0,
        recalibrated="",
        used_until=0,
    )


def recipe_hash(params: Params) -> str:
    """Return the hash of the choices that decide what is learnt from given rows; defaults are left out."""
    written = params.as_changed()
    recipe = {name: _without_places(written[name]) for name in RECIPE if name in written}
    if params.score.weigh_explored:
        recipe["weigh_explored"] = True
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def label_hash(contract: Contract) -> str:
    """Return the hash of what a label of flat leads means: its column and its values; empty for dated leads."""
    label = contract.label
    if label is None:
        return ""
    meaning: list[Any] = [label.column, sorted(label.positive), sorted(label.negative)]
    if label.open or label.wait_days is not None:
        meaning += [sorted(label.open), label.wait_days]
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()


def _without_places(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_places(inner) for name, inner in value.items() if name not in PLACES}


def _size(frame: pd.DataFrame, split: Split) -> PartSize:
    return PartSize.of(frame[LABEL].to_numpy(), column_of(frame, split.clock))


def data_hash(frame: pd.DataFrame) -> str:
    """Return the hash of rows that are sorted by id; it does not depend on the format of a file or the order in it."""
    return hashlib.sha256(np.ascontiguousarray(np.stack(row_hashes(frame))).tobytes()).hexdigest()
