"""A rule must say its words and solve itself; it reads no field unless it says so."""

from __future__ import annotations

import numpy as np
import pytest

from leadml.params.cut_rule import Candidates, CutRule, Solution
from leadml.params.rules import RULES


class _Words(CutRule):
    """A rule of words only."""

    @property
    def words(self) -> str:
        return "half"


class _Half(_Words):
    """A rule that every candidate meets."""

    def solve(self, candidates: Candidates) -> Solution:
        return self.among(candidates.cut, "")


@pytest.mark.parametrize(("kind", "missing"), [(CutRule, "solve.*words"), (_Words, "solve")])
def test_a_rule_without_words_or_a_solution_is_a_defect(kind: type[CutRule], missing: str) -> None:
    """It is found when the rule is made, before any leads are read."""
    with pytest.raises(TypeError, match=f"abstract method.* .*{missing}"):
        kind()


def test_a_rule_reads_no_field_by_itself() -> None:
    """Only rules that name fields need their columns."""
    assert _Half().columns == ()


def test_a_solution_says_how_close_the_best_cut_comes() -> None:
    """The end of a sentence that begins with "no cut"."""
    found = _Half().among(np.array([0.5, 0.7]), "the best is 3%")

    assert isinstance(found, Solution)
    assert found.cuts.tolist() == [0.5, 0.7]
    assert found.problem == "gives half: the best is 3%; ask for less or bring more leads"


def test_each_rule_of_the_list_is_known_by_its_own_name() -> None:
    """Each says when to use it in the second paragraph of its docstring."""
    for name, rule in RULES.items():
        assert issubclass(rule, CutRule)
        assert rule.model_fields["rule"].annotation.__args__ == (name,)
        assert (rule.__doc__ or "").split("\n\n")[1].strip().startswith("Use it when")
