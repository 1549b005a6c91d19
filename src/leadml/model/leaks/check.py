"""What a check of the leak gate is: its codes, what it finds, and when it cannot judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.leads.judge.evidence import LeakEvidence
    from leadml.leads.judge.findings import FindingKind
    from leadml.model.leaks.outcome import Outcome
    from leadml.model.leaks.single_field import JudgedField
    from leadml.model.leaks.suspicion import Suspicion
    from leadml.params import LeakParams


@dataclass(frozen=True)
class JudgedRows:
    """The training set as checks see it.

    Parameters
    ----------
    frame
        All labelled rows, with ``lead_id`` and ``split_key``.
    sample
        The rows that are judged, in the order of their ids.
    outcome
        Labels and groups of the sample.
    fields
        The fields of the model, each with its values in the sample.
    evidence
        What is known in addition to the rows; its order and clock are those of the sample.
    leaks
        The limits.
    """

    frame: pd.DataFrame
    sample: pd.DataFrame
    outcome: Outcome
    fields: Sequence[JudgedField]
    evidence: LeakEvidence
    leaks: LeakParams

    @property
    def model_fields(self) -> list[Field]:
        """Name and kind of each field."""
        return [judged_field.field for judged_field in self.fields]


@dataclass(frozen=True)
class LeakCheck:
    """A check of the leak gate: an entry of ``CHECKS`` in the module gate; docs/extending.md has an example.

    Parameters
    ----------
    kinds
        What the findings of each code share, for the catalogue.
    find
        Returns the suspicions, in the order in which people read them.
    missing
        Returns why the check cannot judge; empty where it can. A check without its evidence must find nothing.
    """

    kinds: Mapping[str, FindingKind]
    find: Callable[[JudgedRows], Iterable[Suspicion]]
    missing: Callable[[LeakEvidence], str] = lambda _: ""
