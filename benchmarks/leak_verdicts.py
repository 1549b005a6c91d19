"""How steady the verdicts of the leak gate are: whether a field stops the training whichever leads are held out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leadml.leads.split import RandomSplit
from leadml.model.leaks import find_leaks
from leadml.params import SplitParams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leak_cases import Case

    from leadml.params import Params


def same_verdict(cases: Iterable[Case], params: Params, *, seeds: int) -> tuple[float, list[str]]:
    """Return the share of the fields that stop for all seeds or for none, and the other fields in words."""
    fields, unsteady = 0, []
    for case in cases:
        stops = verdicts(case, params, seeds=seeds)
        fields += len(stops)
        unsteady += [
            f"{case.source}: {name} stops for {stopped} of {seeds} seeds"
            for name, stopped in stops.items()
            if 0 < stopped < seeds
        ]
    return 1 - len(unsteady) / fields, unsteady


def verdicts(case: Case, params: Params, *, seeds: int) -> dict[str, int]:
    """Return for each field, and for each other suspect, for how many seeds it stops the training.

    A seed draws the leads that are held out, as a training does; the gate judges the others.
    """
    stops = Counter[str]({field.name: 0 for field in case.fields})
    for seed in range(seeds):
        learn = RandomSplit(SplitParams(seed=seed)).holdout().learnable(case.gate_frame)
        frame = case.gate_frame[learn].reset_index(drop=True)
        findings = find_leaks(frame, case.fields, params, evidence=case.gate_evidence.part(learn.nonzero()[0]))
        stops.update({finding.field for finding in findings if finding.severity == "stop"})
    return dict(stops)
