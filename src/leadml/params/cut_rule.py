"""What a rule for the cut of a stage is: its keys in ``params.yaml``, its words, and the cuts that meet it.

A rule sees candidate cuts and chooses among them; it knows neither leads nor models. `leadml.stages.cuts` solves it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from leadml.params.section import Section

if TYPE_CHECKING:
    from leadml.types import Floats


MIN_ACCOUNTS = 20  # decision 8; with 10, all rates would have to exceed their floors by 0.05 more standard errors


class Candidates(Protocol):
    """The candidate cuts, lowest first, and the rows that they are counted on.

    A candidate lets in the rows whose probability is at least its cut. Arrays have the shape (n_candidates,), where
    nothing else is said.
    """

    @property
    def cut(self) -> Floats:
        """The candidates: all distinct probabilities, rising."""

    @property
    def leads(self) -> Floats:
        """How many rows each candidate lets in."""

    @property
    def share(self) -> Floats:
        """Which share of the rows each candidate lets in."""

    @property
    def conversions(self) -> Floats:
        """How many of these rows converted."""

    def precision_bound(self, confidence: float) -> Floats:
        """Return the rate at which the rows let in convert, at least, whichever candidate is chosen."""

    def recall_bound(self, confidence: float) -> Floats:
        """Return the share of all conversions that a candidate lets in, at least."""

    @property
    def units(self) -> float:
        """How many leads or accounts of one size the rows are worth, which do not depend on each other."""

    @property
    def probability(self) -> Floats:
        """The probability of each row, shape (n_rows,)."""

    def column(self, name: str) -> Floats:
        """Return a number of each row that the rule names in `CutRule.columns`, NaN if missing, shape (n_rows,)."""

    def total(self, values: Floats) -> Floats:
        """Return the sum of a number of each row, shape (n_rows,), over the rows that each candidate lets in."""


@dataclass(frozen=True)
class Solution:
    """The cuts that meet a rule.

    Parameters
    ----------
    cuts
        The cuts, the preferred one first; empty if there is none.
    problem
        Why there is none and what to do, as the end of a sentence that begins with "no cut".
    remark
        What the cut does not give that the rule asks for, in words; empty if it gives all.
    """

    cuts: Floats
    problem: str
    remark: str = ""


class CutRule(Section, ABC):
    """A rule for the cut of a stage.

    A rule is a class below this one and an entry in ``Rule`` of the module rules; docs/extending.md has an example. The
    first paragraph of its docstring says what the cut is, the second when to use it; ``docs/params.md`` shows both.
    """

    @property
    @abstractmethod
    def words(self) -> str:
        """The rule in words, for the report and for messages."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields that the rule reads, which must be numbers of `features`."""
        return ()

    @property
    def promised_precision(self) -> float | None:
        """The share of the leads at or above the cut that is to convert; None if the rule asks for none."""
        return None

    @property
    def promised_share(self) -> float | None:
        """The share of the leads that is to be at or above the cut; None if the rule asks for none."""
        return None

    @abstractmethod
    def solve(self, candidates: Candidates) -> Solution:
        """Return the cuts that meet the rule."""

    def among(self, cuts: Floats, limit: str) -> Solution:
        """Return a solution of some cuts; the limit says how close the best one comes if there is none."""
        return Solution(cuts, f"gives {self.words}: {limit}; ask for less or bring more leads")
