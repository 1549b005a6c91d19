"""The sections of ``params.yaml`` that a fit and its evaluation read: split, limits, model, calibration, evaluation.

The defaults suit most data: what the model chooses by cross-validation is written as a list of candidates. A section
refuses values out of range. `leadml.model.classifier.LeadClassifier` takes the same sections as its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from leadml.params.section import ColumnName, Count, FieldName, Section, Share


class PersonColumns(Section):
    """Columns of leads by which it is seen that two leads are one person, entered twice or merged.

    Such leads are kept on one side of the split. The columns are compared in memory and never written; see decision 22.
    """

    email: ColumnName | None = None
    """Column of e-mail addresses. Equal addresses are one person, unless the names share no word."""
    phone: ColumnName | None = None
    """Column of telephone numbers. They count only together with equal names, since colleagues share a number."""
    name: ColumnName | None = None
    """Column of the full name, in any order of its words."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are declared."""
        return tuple(name for name in (self.email, self.phone, self.name) if name)


class SplitParams(Section):
    """How leads are divided: into training set and holdout, and the training set into folds for cross-validation.

    Leads without dates are divided by a hash of the id, leads with dates by time; see decision 4. For dated leads the
    holdout is other accounts at later times; see decision 11.
    """

    test_share: Annotated[float, Field(ge=0.01, le=0.9)] = 0.25
    """Share of the leads that are the holdout, on which the model is evaluated and never fitted. Raise it for narrower
    intervals in the report, lower it if there are few leads to learn from."""
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    """Folds of the cross-validation; each is evaluated by models that were fitted on other leads (with dates: on
    earlier ones). Raise it if there are few leads, or with dates if few converted early; time grows in proportion.
    Lower it if a fold has no leads to be evaluated on."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the hashes that form holdout and folds, and of the bootstrap draws. Equal seeds give equal results.
    Change it to see how much results depend on the split, not to pick the best one."""
    same_person: PersonColumns = PersonColumns()
    """Columns by which duplicates of people are found (finding LK10). Set them where leads may be entered twice."""

    @model_validator(mode="after")
    def _check_same_person(self) -> Self:
        person = self.same_person
        if person.columns and person.email is None and None in {person.phone, person.name}:
            msg = "split.same_person must have email, or both phone and name, got one column; one alone says too little"
            raise ValueError(msg)
        return self


class LimitParams(Section):
    """How few leads are too few to train on. A dated lead counts once, however many snapshots it has."""

    min_leads: Count = 1000
    """Smallest number of leads with a label, training set and holdout together; with fewer, training stops. Lower it
    only for a trial."""
    min_conversions: Count = 120
    """Smallest number of leads that converted, and of leads that did not; with fewer, training stops. Lower it only for
    a trial: with fewer conversions the intervals of the report are too wide to decide on."""
    allow_small: bool = False
    """Whether to train with fewer leads than these limits. If true, report, card and scores say so. Give the points of
    your team in `baselines.points` then: the model starts from them, and is called "rule first"."""


class ModelParams(Section):
    """How the model is fitted: a linear part, gradient boosting, and the weights of both.

    Keys that hold a list name candidates, which cross-validation weighs: a candidate has the less weight, the more
    surely it is behind the best. Change them only if you have time to compare: decision 1 says how the defaults were
    settled and what each choice is worth.
    """

    retired: ClassVar[Mapping[str, str]] = {
        "bases": "trees and linear parts are fitted alone, and weighed",
        "boosters": "trees of several sizes draw other fields each",
        "budget": "there is no search that could take long",
        "patience": "several numbers of rounds are weighed",
    }

    min_level_count: Count = 20
    """Smallest number of leads (snapshots, for dated leads) that a level of a category needs; rarer levels become
    "other". Raise it if categories have many rare levels."""
    max_levels: Annotated[int, Field(ge=1, le=255)] = 255
    """Largest number of levels of a category that are kept, the most frequent ones; all others become "other". Lower it
    for speed if categories have hundreds of levels."""
    leaves: Annotated[tuple[Annotated[int, Field(ge=2, le=64)], ...], Field(min_length=1)] = (8, 12)
    """Candidates for the number of leaves of a tree. Trees of 2 leaves combine no fields, more leaves combine more;
    each candidate costs one more search for each half-life."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Step size of gradient boosting: the part of each tree that is added. Raise it to 0.2 for about half the time; a
    smaller one needs a larger `max_rounds` and rarely gains anything."""
    max_rounds: Annotated[int, Field(ge=10, le=20_000)] = 1000
    """Largest number of trees (rounds of boosting) that cross-validation tries. It weighs several numbers up to this
    one, and ends when two of them have not lowered the log loss; the final model has more, in proportion to its larger
    training set, but not where leads have several rows, such as snapshots. Raise it if trees of most rounds have all
    the weight (`chosen.rounds` in MLflow)."""
    min_leads_per_leaf: Count = 20
    """Smallest number of leads (snapshots, for dated leads) in a leaf of a tree. Raise it if the data are noisy, lower
    it if few leads convert and small groups matter."""
    leaf_penalties: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (20.0,)
    """Candidates for the L2 penalty on the values of leaves; each is tried with each number of leaves. A stronger one
    makes trees more cautious: large data sets gain by it, small ones lose."""
    field_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the fields that each tree may use, drawn at random. Lower it if many fields say nearly the same; 1 uses
    all."""
    bins: Annotated[int, Field(ge=3, le=255)] = 127
    """Largest number of steps into which the values of a number are divided for the trees. Raise it if fine differences
    of a number matter; more steps cost time and can overfit."""
    linear_strengths: tuple[Annotated[float, Field(gt=0)], ...] = (0.01, 0.1, 1.0)
    """Candidates for the inverse penalty of the linear part (scikit-learn's `C`). A larger one follows the data more
    closely. Add smaller ones if there are many fields and few leads; with none the model has trees alone."""
    half_lives: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)] = (0.0, 0.25, 0.0625)
    """Candidates for how fast old leads lose weight, in the linear part and in the trees, if leads have dates: the
    share of the newest leads after which one counts half; 0 gives all the same weight. Each is tried with each strength
    and number of leaves."""
    directions: dict[FieldName, Literal["rises", "falls"]] = {}
    """Numbers and booleans with which the probability may only rise or only fall, such as `demo_request_30d: rises`.
    Use it where any other relation would be noise, or where reasons must be plausible."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Threads that fit and predict, and those of DuckDB; 0 uses all. Lower it on a machine that you share. It changes
    no number."""


class CalibrationParams(Section):
    """How wide the interval of a probability is."""

    retired: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("isotonic_min_conversions", "methods"), "weighed parts need no calibration"
    )

    interval: Share = 0.9
    """Share of leads whose true probability should lie between `probability_low` and `probability_high`. Raise it for
    wider intervals. It is an estimate and not a guarantee; see decision 18."""


class EvaluationParams(Section):
    """How certain the figures of the report are: bootstrap intervals on the holdout; see decision 7."""

    draws: Annotated[int, Field(ge=50, le=10_000)] = 300
    """Bootstrap draws of the holdout, from which the intervals follow. Raise it to 1,000 or more for a final report;
    time grows in proportion."""
    confidence: Share = 0.95
    """Confidence level of the intervals, on which the verdict "beats the baseline" depends, too. Raise it to be more
    cautious."""
