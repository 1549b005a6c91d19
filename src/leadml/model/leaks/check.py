"""What a check of the leak gate is: its codes, what it finds, and when it cannot judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

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
    suspects
        The fields that are judged; None for all.
    """

    frame: pd.DataFrame
    sample: pd.DataFrame
    outcome: Outcome
    fields: Sequence[JudgedField]
    evidence: LeakEvidence
    leaks: LeakParams
    suspects: frozenset[str] | None = None

    def with_halves(self, draw: int, *, suspects: Collection[str]) -> JudgedRows:
        """Return the rows with another draw of halves, in which only some suspects are judged."""
        outcome = replace(self.outcome, draw=draw)
        fields = [replace(field, outcome=outcome) for field in self.fields]
        return replace(self, outcome=outcome, fields=fields, suspects=frozenset(suspects))

    def is_judged(self, name: str) -> bool:
        """Return whether a field is judged, and not only compared with others."""
        return self.suspects is None or name in self.suspects

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
    by_halves
        Whether the check compares halves of the leads, so that several draws of halves decide.
    """

    kinds: Mapping[str, FindingKind]
    find: Callable[[JudgedRows], Iterable[Suspicion]]
    missing: Callable[[LeakEvidence], str] = lambda _: ""
    by_halves: bool = False
