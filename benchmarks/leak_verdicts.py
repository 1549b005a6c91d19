"""How steady the verdicts of the leak gate are: whether a field stops the training whichever leads are held out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leadml.leads.split import RandomSplit
from leadml.model.leaks import find_leaks
from leadml.params import SplitParams

if TYPE_CHECKING:
    from leak_cases import Case

    from leadml.params import Params


def verdicts(case: Case, params: Params, *, seeds: int) -> dict[str, int]:
    """Return for each field, and for each other suspect, of how many seeds it stops the training.

    A seed draws the leads that are held out, as a training does; the gate judges the others.
    """
    stops = Counter[str]({field.name: 0 for field in case.fields})
    for seed in range(seeds):
        learn = RandomSplit(SplitParams(seed=seed)).holdout().learnable(case.gate_frame)
        frame = case.gate_frame[learn].reset_index(drop=True)
        findings = find_leaks(frame, case.fields, params, evidence=case.gate_evidence.part(learn.nonzero()[0]))
        stops.update({finding.field for finding in findings if finding.severity == "stop"})
    return dict(stops)
