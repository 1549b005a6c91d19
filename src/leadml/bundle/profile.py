"""The profile of a training: counts of its leads, so that later leads can be compared with them.

Leads are counted by bins, so that counts of parts add up to the counts of the whole, and the profile holds no row of a
lead. The counts of a batch have the same form; `leadml.review` makes and compares both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from leadml.model.predict.reference import FieldBins
from leadml.stages.cut_figures import cut_figures
from leadml.stages.ladder import LEAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from leadml.stages.cuts import Cut

MILLIONTHS = 1_000_000  # probabilities are summed as whole numbers, which add up to the same sum in any order


@dataclass(frozen=True)
class FieldCounts:
    """How many leads have which values of a field.

    Parameters
    ----------
    missing
        Leads that have no value.
    bins
        Leads in each of the `FieldBins`.
    """

    missing: int
    bins: tuple[int, ...]

    @property
    def present(self) -> int:
        """The number of leads that have a value."""
        return sum(self.bins)

    def plus(self, other: FieldCounts, times: int = 1) -> FieldCounts:
        """Return the sum with other counts, taken some times."""
        return FieldCounts(self.missing + times * other.missing, _sum(self.bins, other.bins, times))


@dataclass(frozen=True)
class LeadCounts:
    """How many leads have which values, probabilities and stages: whole numbers only.

    Parameters
    ----------
    rows
        Leads whose fields are counted.
    fields
        Counts by field.
    scores
        Leads by probability, in the bins of `Profile.edges`.
    millionths
        Sum of the probabilities, each rounded to a millionth, in millionths.
    stages
        Leads by the stage that the cuts alone give, lowest first; empty if the target drives no stage.
    """

    rows: int
    fields: Mapping[str, FieldCounts]
    scores: tuple[int, ...]
    millionths: int
    stages: Mapping[str, int]

    @property
    def scored(self) -> int:
        """The number of leads whose probability is counted."""
        return sum(self.scores)

    @property
    def mean_probability(self) -> float:
        """The mean of the probabilities, from 0 to 1; 0 without leads."""
        return self.millionths / MILLIONTHS / max(self.scored, 1)

    def __add__(self, other: LeadCounts) -> LeadCounts:
        """Return the counts of both."""
        return self._plus(other, 1)

    def __sub__(self, other: LeadCounts) -> LeadCounts:
        """Return the counts without those of a part."""
        return self._plus(other, -1)

    def _plus(self, other: LeadCounts, times: int) -> LeadCounts:
        return LeadCounts(
            rows=self.rows + times * other.rows,
            fields={name: counts.plus(other.fields[name], times) for name, counts in self.fields.items()},
            scores=_sum(self.scores, other.scores, times),
            millionths=self.millionths + times * other.millionths,
            stages={stage: count + times * other.stages[stage] for stage, count in self.stages.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {
            "rows": self.rows,
            "fields": {name: [counts.missing, *counts.bins] for name, counts in self.fields.items()},
            "scores": list(self.scores),
            "millionths": self.millionths,
            "stages": [[stage, count] for stage, count in self.stages.items()],  # in their order
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LeadCounts:
        """Return the counts that `to_json` wrote.

        Examples
        --------
        >>> counts = LeadCounts(3, {"age": FieldCounts(1, (0, 2))}, (1, 2), 700_000, {"LEAD": 2, "MQL": 1})
        >>> LeadCounts.from_json(counts.to_json()) == counts
        True
        """
        return cls(
            rows=int(stored["rows"]),
            fields={name: FieldCounts(int(each[0]), _whole(each[1:])) for name, each in stored["fields"].items()},
            scores=_whole(stored["scores"]),
            millionths=int(stored["millionths"]),
            stages={str(stage): int(count) for stage, count in stored["stages"]},
        )


@dataclass(frozen=True)
class FieldSizes:
    """How large the change of a field is; see `leadml.review.drift.sizes` for how each size is computed.

    Parameters
    ----------
    missing
        Change of the share of leads that lack the field, from 0 to 1.
    out_of_range
        Of a number that is no age, how much larger the share outside the 1% and 99% quantiles is, from 0 to 1.
    new_levels
        Of a category, how much larger the share of levels is that are no column of the model, from 0 to 1.
    distribution
        Population stability index of the values without what chance adds; can be below 0.
    """

    missing: float = 0.0
    out_of_range: float = 0.0
    new_levels: float = 0.0
    distribution: float = 0.0


@dataclass(frozen=True)
class ChangeSizes:
    """How large the changes of some leads are.

    Parameters
    ----------
    fields
        Sizes by field.
    score
        Change of the mean probability as far as it is certain, as Cohen's h, from 0.
    stages
        Largest change of the share of a stage, from 0 to 1.
    """

    fields: Mapping[str, FieldSizes]
    score: float = 0.0
    stages: float = 0.0

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ChangeSizes:
        """Return the sizes that `dataclasses.asdict` wrote."""
        fields = {name: FieldSizes(**sizes) for name, sizes in stored["fields"].items()}
        return cls(fields, float(stored["score"]), float(stored["stages"]))


@dataclass(frozen=True)
class SliceCounts:
    """Leads and conversions by the values of a field, one number for each of its bins and the last for missing values.

    Parameters
    ----------
    rows, conversions
        Leads of the training, and those of them that converted.
    """

    rows: tuple[int, ...]
    conversions: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """What a training keeps of its leads, to compare later leads with.

    Parameters
    ----------
    bins
        The bins of each field.
    edges
        The highest probability of each bin but the last, rising: deciles of the training.
    counts
        Fields of the rows that the model was fitted on. Probabilities and stages are out-of-fold, so of those rows on
        which some fold was evaluated.
    varied
        The largest sizes by which leads of one part of the training's time differed from the others; 0 where leads
        have no dates.
    slices
        Counts by the values of the fields that ``review.slices`` names.
    """

    bins: Mapping[str, FieldBins]
    edges: tuple[float, ...]
    counts: LeadCounts
    varied: ChangeSizes
    slices: Mapping[str, SliceCounts]

    def with_cuts(self, cuts: Sequence[Cut], candidates: pd.DataFrame) -> Self:
        """Return the profile with the leads of each stage by other cuts, from the shares of the candidates.

        Parameters
        ----------
        cuts
            The cuts that are used now, rising.
        candidates
            The stored sample of the candidate cuts of the training.
        """
        inside = [1.0, *(cut_figures(candidates, cut.probability)["share"] for cut in cuts), 0.0]
        leads = [round(share * self.counts.scored) for share in inside]
        stages = (LEAD, *(cut.stage for cut in cuts)) if cuts else ()
        counts = {stage: leads[at] - leads[at + 1] for at, stage in enumerate(stages)}
        return replace(self, counts=replace(self.counts, stages=counts))

    def to_json(self) -> dict[str, Any]:
        """Return the profile as plain data."""
        return {
            "bins": {name: bins.to_json() for name, bins in self.bins.items()},
            "edges": list(self.edges),
            "counts": self.counts.to_json(),
            "varied": asdict(self.varied),
            "slices": {name: asdict(counts) for name, counts in self.slices.items()},
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Profile:
        """Return the profile that `to_json` wrote.

        Raises
        ------
        ValueError
            If a field has not one count for each of its bins.
        """
        slices = {
            name: SliceCounts(_whole(each["rows"]), _whole(each["conversions"]))
            for name, each in stored["slices"].items()
        }
        profile = cls(
            bins={name: FieldBins.from_json(bins) for name, bins in stored["bins"].items()},
            edges=tuple(float(edge) for edge in stored["edges"]),
            counts=LeadCounts.from_json(stored["counts"]),
            varied=ChangeSizes.from_json(stored["varied"]),
            slices=slices,
        )
        sizes = {name: bins.size for name, bins in profile.bins.items()}
        if sizes != {name: len(counts.bins) for name, counts in profile.counts.fields.items()}:
            raise ValueError(sizes)
        return profile


NO_PROFILE = Profile(
    {}, (), LeadCounts(0, {}, (), 0, {}), ChangeSizes({}), {}
)  # of a training of which nothing is known


def _sum(one: Sequence[int], other: Sequence[int], times: int) -> tuple[int, ...]:
    return tuple(first + times * second for first, second in zip(one, other, strict=True))


def _whole(numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)
