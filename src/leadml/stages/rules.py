"""Judge the business's own rules: which stages they ask for, and which they take away.

A test of a field that the model does not have is not applied. One that cannot judge the kind of its field is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from leadml.errors import ParamsError
from leadml.leads.check.field_test import field_test_holds
from leadml.params import normal_name
from leadml.stages.ladder import ADVISED, NONE, STAGES, Ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.params import FieldTest, RuleParams
    from leadml.types import Mask

RuleKind = Literal["required", "excluded", "overriding"]
HIGHEST = len(STAGES) - 1  # a rank that limits nothing


@dataclass(frozen=True)
class StageRule:
    """One test that belongs to a stage.

    Parameters
    ----------
    stage
        ``IQL``, ``MQL`` or ``SQL``.
    kind
        What the test does where it holds; `required` acts where it does not.
    test
        The test.
    """

    stage: str
    kind: RuleKind
    test: FieldTest

    @property
    def words(self) -> str:
        """The rule in words: ``MQL required: budget_given from 1``."""
        return f"{self.stage} {self.kind}: {self.test.words}"

    def holds(self, frame: pd.DataFrame) -> Mask:
        """Return for which leads the test holds, shape (n_leads,)."""
        return field_test_holds(frame[normal_name(self.test.field)], self.test)


@dataclass(frozen=True)
class RuleBook:
    """The rules that can be applied, and those whose field the model does not have."""

    applied: tuple[StageRule, ...] = ()
    not_applicable: tuple[StageRule, ...] = ()

    @classmethod
    def of(cls, choices: RuleParams, fields: Sequence[Field]) -> RuleBook:
        """Return the rules of params for the fields of a model.

        Raises
        ------
        ParamsError
            If a test cannot judge the kind of its field.
        """
        kinds = {field.name: field.kind for field in fields}
        applied: list[StageRule] = []
        absent: list[StageRule] = []
        for stage in ADVISED:
            rules = getattr(choices, stage.lower())
            for kind in get_args(RuleKind):
                for at, test in enumerate(getattr(rules, kind)):
                    known = kinds.get(normal_name(test.field))
                    (absent if known is None else applied).append(StageRule(stage, kind, test))
                    if known is not None and (problem := test.problem(known)):
                        msg = f"stages.rules.{stage.lower()}.{kind}.{at}: {problem}"
                        raise ParamsError(msg)
        return cls(tuple(applied), tuple(absent))


@dataclass(frozen=True)
class RuleLimits:
    """What the rules make of the advice for each lead, as ranks of shape (n_leads,).

    Parameters
    ----------
    required
        The highest stage that the model may advise.
    overriding
        The lowest stage that is advised; `NONE` if no rule asks for one.
    excluded
        The highest stage that may be advised at all.
    """

    required: Ranks
    overriding: Ranks
    excluded: Ranks


def rule_limits(rules: Sequence[StageRule], frame: pd.DataFrame, ladder: Sequence[int]) -> RuleLimits:
    """Return what the rules ask of each lead.

    Parameters
    ----------
    rules
        The rules that can be applied.
    frame
        Checked leads with the fields.
    ladder
        Ranks of the stages that may be advised, rising, the first that of a lead without one.
    """
    size = len(frame)
    limits = RuleLimits(
        *(np.full(size, start, dtype=np.int8) for start in (HIGHEST, NONE, HIGHEST)),
    )
    for rule in rules:
        rank = STAGES.index(rule.stage)
        holds = rule.holds(frame)
        if rule.kind == "overriding":
            limits.overriding[holds] = np.maximum(limits.overriding[holds], rank)
            continue
        below = max((step for step in ladder if step < rank), default=0)
        cap, lowered = (limits.excluded, holds) if rule.kind == "excluded" else (limits.required, ~holds)
        cap[lowered] = np.minimum(cap[lowered], below)
    return limits
