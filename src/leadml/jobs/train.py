"""Train a model on leads whose outcome is known.

What enters is a project; what leaves is a version in the registry, its evaluation, and an MLflow run.
It stops before the fit where the data are not ready or a field seems to know the outcome.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.bundle.storage import Bundle, load_bundle
from leadml.errors import MissingExtraError, ModelError
from leadml.jobs.training_set import gather_training_set
from leadml.leads.check.contract import AS_OF, LABEL, SPLIT_KEY
from leadml.leads.check.duplicates import row_hashes
from leadml.leads.judge.readiness import judge_readiness
from leadml.leads.read.files import Dialect
from leadml.leads.split import describe_part
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.baselines import baseline_probabilities
from leadml.model.judge.evaluation import Evaluation, HoldoutPredictions, as_rows, evaluate
from leadml.model.leaks import find_leaks
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.reference import profile
from leadml.stages.cuts import solve_cuts
from leadml.stages.lifecycle import GradeBands, StagePlan, grade_bands

if TYPE_CHECKING:
    import pandas as pd

    from leadml.jobs.project import Project
    from leadml.jobs.training_set import TrainingSet
    from leadml.leads.judge.findings import Finding
    from leadml.leads.split import Holdout
    from leadml.model.fit.estimator import FitResult
    from leadml.params import Params
    from leadml.types import Progress

MOST_EXPLAINED = 20_000


@dataclass(frozen=True)
class Trained:
    """What a training made.

    Parameters
    ----------
    version
        The version in the registry.
    new
        Whether it was written now; the same data and choices give the version there was.
    champion
        The version in use.
    bundle, evaluation
        The model as it was read back, and what it is worth.
    run_id
        MLflow's run; None where tracking is off or the version is not new.
    """

    version: str
    new: bool
    champion: str
    bundle: Bundle
    evaluation: Evaluation
    run_id: str | None


def train(project: Project, *, now: str, progress: Progress) -> Trained:
    """Train, evaluate, keep and track a model.

    Parameters
    ----------
    project
        The choices and places.
    now
        The instant of the training in ISO 8601, for the record.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError, ModelError
        Where the data are not ready, a leak is suspected, or a rule has no cut.
    """
    params = project.params
    if params.tracking.enabled and find_spec("mlflow") is None:
        msg = "MLflow is not installed: pip install 'leadml[tracking]', or set tracking.enabled: false"
        raise MissingExtraError(msg)
    material = gather_training_set(project, now=now, progress=progress)
    loaded, contract = material.loaded, material.contract
    findings = [*material.findings, *judge_readiness(loaded, contract, params.limits)]
    refuse_stops(findings)
    learn, judge, evidence = material.sides()
    progress("looking for leaks")
    leaks = find_leaks(learn, contract.fields, params, evidence=evidence)
    refuse_stops(leaks)
    fitted = fit_model(learn, contract.fields, params, progress=progress)
    progress("solving the cuts")
    driven = params.drives(project.target)
    cuts = solve_cuts(fitted.probability, fitted.label, params.stages, driven=driven, groups=fitted.groups)
    plan = StagePlan(cuts.cuts, _bands(fitted, learn))
    progress("evaluating on leads kept aside")
    evaluation = _evaluate(fitted, plan, learn, judge, params)
    facts = training_facts(params, material, [*findings, *leaks], fitted) | {"trained_at": now}
    facts |= {"split": _split_facts(learn, judge, material.holdout, fitted), "cuts": plan.to_json()["cuts"]}
    bundle = Bundle(
        target=project.target,
        contract=contract,
        dialect=Dialect.from_params(params.data),
        model=fitted.model,
        stages=plan.to_json(),
        holdout=material.holdout,
        profile=profile(learn, fitted.model.encoder),
        evaluation=evaluation.to_json() | {"candidates": as_rows(cuts.shown())},
        facts=facts,
        as_of_settings=material.as_of_settings.to_json() if material.as_of_settings else None,
    )
    progress("keeping the bundle")
    version, new = project.registry.add(bundle)
    champion = project.registry.usable_champion()
    if champion is None:
        project.registry.promote(version)
        champion = version
    run_id = None
    if params.tracking.enabled:
        from leadml.publish.tracking import track_training  # noqa: PLC0415 - MLflow takes seconds to import

        progress("writing to MLflow")
        run_id = track_training(project.store, project.registry, version, params=params, champion=champion == version)
    return Trained(version, new, champion, load_bundle(project.registry.path(version)), evaluation, run_id)


def refuse_stops(findings: list[Finding]) -> None:
    """Refuse where any finding says stop, one line each."""
    stops = [str(finding) for finding in findings if finding.severity == "stop"]
    if stops:
        raise ModelError("\n".join(stops))


def training_facts(params: Params, material: TrainingSet, findings: list[Finding], fitted: FitResult) -> dict[str, Any]:
    """Return what the manifest says of a training: counts, hashes, findings and choices."""
    resolved = json.dumps(params.model_dump(mode="json"), sort_keys=True)
    loaded = material.loaded
    counts = {"leads": len(loaded.frame), "conversions": int(loaded.frame[LABEL].sum())}
    return {
        "data": material.facts | counts,
        "data_hash": data_hash(loaded.frame),
        "params_hash": hashlib.sha256(resolved.encode()).hexdigest(),
        "excluded": dict(params.features.excluded),
        "accepted_leaks": dict(params.leaks.accept),
        "findings": [
            [finding.code, finding.severity, str(finding)]
            for finding in findings
            if finding.severity in {"stop", "warn"}
        ],
        "choices": fitted.choices,
        "small": any(finding.code in {"RD1", "RD2"} and finding.severity == "warn" for finding in findings),
    }


def data_hash(frame: pd.DataFrame) -> str:
    """Return the hash of checked leads in the order of their ids, the same for any file format and row order."""
    return hashlib.sha256(np.ascontiguousarray(np.stack(row_hashes(frame))).tobytes()).hexdigest()


def _bands(fitted: FitResult, learn: pd.DataFrame) -> GradeBands:
    sample = learn.iloc[:: -(-len(learn) // MOST_EXPLAINED)]
    explanation = explain_leads(fitted.model, fitted.model.encoder.fields_of(sample))
    groups = {field.group for field in explanation.fields}
    points = [explanation.group_points(group) if group in groups else None for group in ("fit", "engagement")]
    return grade_bands(*points)


def _evaluate(
    fitted: FitResult, plan: StagePlan, learn: pd.DataFrame, judge: pd.DataFrame, params: Params
) -> Evaluation:
    label = judge[LABEL].to_numpy(dtype=np.int8)
    if len(np.unique(label)) < 2:  # noqa: PLR2004 - converted and not
        msg = f"leads kept aside must hold both kinds, got {label.sum()} of {len(label)}; raise split.test_share"
        raise ModelError(msg)
    fields = fitted.model.encoder.fields
    explanation = explain_leads(fitted.model, fitted.model.encoder.fields_of(judge))
    baselines = baseline_probabilities(learn, judge, fields, params)
    cuts = {cut.stage: cut.probability for cut in plan.cuts}
    groups = judge[SPLIT_KEY].to_numpy() if AS_OF in judge else None
    shown = explanation.topic_points, explanation.topics
    judged = HoldoutPredictions(label, explanation.probability, *shown, cuts, baselines, groups)
    return evaluate(judged, params.evaluation, seed=params.split.seed)


def _split_facts(learn: pd.DataFrame, judge: pd.DataFrame, holdout: Holdout, fitted: FitResult) -> dict[str, Any]:
    kind = "random" if holdout.since is None else "newest kept aside"
    facts: dict[str, Any] = {"kind": "other accounts, later" if AS_OF in learn else kind, "folds": fitted.folds}
    return facts | {"learn": describe_part(learn), "judge": describe_part(judge)}
