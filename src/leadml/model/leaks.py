"""Fields that seem to know the outcome.

What enters is checked leads with labels; what leaves is a finding for each field that is too good to be true.
It judges by power on leads kept aside, alone and beside all other fields, and by names that systems of record write
after the fact; a suspect stops the training unless it is accepted by name with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.findings import Finding
from leadml.leads.personal import plain_name
from leadml.leads.schema import LABEL, LEAD_ID
from leadml.model.encode import fit_encoder
from leadml.model.metrics import roc_auc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadml.leads.schema import Field
    from leadml.params import LeakParams, Params

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

WRITTEN_AFTERWARDS = """
    assigned_to call_duration close_date closed closed_at closed_date closed_on conversion_date converted_at
    converted_date deal_id deal_stage deal_value disposition duration last_activity last_modified lead_owner
    lead_quality lead_score lead_stage lead_status loss_reason lost lost_reason modified_at opportunity_id outcome
    owner quality rejected_reason result stage status tag tags talk_time updated_at won
"""
BANNED = frozenset(WRITTEN_AFTERWARDS.split())
BANNED_POWER = 0.55
NOTEWORTHY = 0.75
STEPS = 20
ALIKE = 0.9
PRIOR = 20.0
MOST_LEADS = 20_000
ROUNDS = 60


def find_leaks(frame: pd.DataFrame, fields: Sequence[Field], params: Params) -> list[Finding]:
    """Return a finding for each field that may know the outcome, or one that says that none does.

    Parameters
    ----------
    frame
        Checked leads with labels; at most 20,000 of them, evenly taken in the order of their ids, are looked at.
    fields
        The fields of the model.
    params
        ``leaks``: what is too good, and what is accepted; ``model`` for the encoding.

    Notes
    -----
    LK1: the field alone ranks the leads almost perfectly. LK2: its name is one that sales systems write after the
    outcome, and it has power. LK3: alone it beats all other fields together, its near copies left out, and
    lifts them by more than ``leaks.lift``.
    """
    frame = frame.sort_values(LEAD_ID, kind="stable", ignore_index=True)
    frame = frame.iloc[:: -(-len(frame) // MOST_LEADS)].reset_index(drop=True)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    scores = {field: field_scores(frame, field, label) for field in fields}
    alone = {field.name: roc_auc(label, score, np.ones(len(label))) for field, score in scores.items()}
    findings = []
    for field in fields:
        suspicion = _suspicion(frame, scores, field, alone[field.name], params)
        if suspicion:
            findings.append(_finding(field, suspicion, params.leaks))
    if findings:
        return findings
    strongest = max(alone, key=lambda name: alone[name])
    return [
        Finding("LK0", "passed", f"no field seems to know the outcome; the strongest alone is {alone[strongest]:.3f}")
    ]


def field_scores(frame: pd.DataFrame, field: Field, label: Labels) -> Floats:
    """Return what one field says of each lead by rates that did not see it, shape (n_leads,).

    A number is cut into 20 steps of equal mass, "missing" is a step of its own, and each lead gets the rate of its
    step among the other half of the leads.
    """
    steps = _steps(frame[field.name], field)
    half = np.arange(len(label)) % 2
    scores = np.empty(len(label))
    for side in (0, 1):
        known = half != side
        size = np.bincount(steps[known], minlength=steps.max() + 1)
        won = np.bincount(steps[known], weights=label[known], minlength=steps.max() + 1)
        rate = (won + PRIOR * label[known].mean()) / (size + PRIOR)
        scores[~known] = rate[steps[~known]]
    return scores


def _alike(one: Floats, other: Floats) -> bool:
    """Return whether two fields say nearly the same of the leads, so that each would hide the other."""
    spread = one.std() * other.std()
    return bool(spread > 0 and np.mean((one - one.mean()) * (other - other.mean())) / spread > ALIKE)


def _steps(column: pd.Series, field: Field) -> NDArray[np.intp]:
    if field.kind == "category":
        return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], dtype=np.intp)
    values = column.to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, STEPS + 1)[1:-1])) if len(known) else np.empty(0)
    steps = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, steps).astype(np.intp)


def _suspicion(
    frame: pd.DataFrame, scores: dict[Field, Floats], field: Field, alone: float, params: Params
) -> tuple[str, str] | None:
    if alone >= params.leaks.alone:
        return "LK1", f"alone ranks leads with an AUC of {alone:.3f}, too good to be known beforehand"
    if plain_name(field.name) in BANNED and alone >= BANNED_POWER:
        return "LK2", f"has a name that is filled in after the outcome, and an AUC of {alone:.3f} alone"
    if alone < NOTEWORTHY:
        return None
    others = [other for other, score in scores.items() if not _alike(scores[field], score)]
    if not others:
        return None
    without, beside = (_joint_power(frame, chosen, params) for chosen in (others, [*others, field]))
    if alone > without and beside - without > params.leaks.lift:
        return "LK3", (
            f"has an AUC of {alone:.3f} alone, more than all other fields together ({without:.3f}), "
            f"and lifts them to {beside:.3f}"
        )
    return None


def _finding(field: Field, suspicion: tuple[str, str], leaks: LeakParams) -> Finding:
    code, evidence = suspicion
    reason = leaks.accept.get(field.name)
    if reason:
        return Finding(code, "warn", f"{evidence}; accepted: {reason}", field=field.name)
    remedy = (
        "is a suspected leak: move it to features.excluded, or name it in leaks.accept with the reason why it is not"
    )
    return Finding(code, "stop", evidence, remedy, field.name)


def _joint_power(frame: pd.DataFrame, fields: Sequence[Field], params: Params) -> float:
    """Return the AUC of small trees on several fields, on the half of the leads that they did not see."""
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    matrix = fit_encoder(frame, fields, params.model).encode(frame)
    label = frame[LABEL].to_numpy(dtype=np.int8)
    half = np.arange(len(label)) % 2 == 0
    settings = {"objective": "binary", "num_leaves": 4, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    settings["num_threads"] = 1
    trees = lgb.train(settings, lgb.Dataset(matrix[half], label[half]), ROUNDS)
    return roc_auc(label[~half], np.asarray(trees.predict(matrix[~half])), np.ones(int((~half).sum())))
