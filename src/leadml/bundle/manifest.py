"""The manifest of a version: date, hashes, counts and findings of its training, none of which changes a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from leadml.errors import inert
from leadml.leads.check.instants import from_shown
from leadml.leads.judge.findings import Finding
from leadml.leads.read.files import Dialect
from leadml.leads.sources.training_set import DataFacts
from leadml.leads.split import FoldSize, PartSize
from leadml.stages.cuts import Cut

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True)
class SplitRecord:
    """How the rows of a training were divided.

    Parameters
    ----------
    name
        Name of the split in words.
    learn, holdout
        Size and dates of the rows that were fitted on, and of the holdout.
    folds
        Size and dates of each fold.
    """

    name: str
    learn: PartSize
    holdout: PartSize
    folds: tuple[FoldSize, ...]


@dataclass(frozen=True)
class TrainingRecord:
    """The record of a training.

    Parameters
    ----------
    trained_at
        Instant of the training in ISO 8601.
    unit
        The name of rows: leads or snapshots.
    data
        Where the rows came from.
    rows, conversions
        Number of rows with a label, and of those that converted.
    data_hash, params_hash, recipe_hash, label_hash
        SHA-256 of the rows, of all choices, of those that decide what is learnt from given rows, and of what a label of
        flat leads means (empty for dated leads).
    excluded, accepted_leaks
        Fields that are excluded, and suspected leaks that are used, each with its reason.
    findings
        The findings about the data that stop or warn.
    choices
        What the fit selected, and the log loss of every candidate, by name.
    is_small
        Whether there were fewer leads than leadml asks for.
    split
        How the rows were divided.
    weakness
        Why the version should not be used, in words; empty if it may be.
    accepted_weak
        A person's reason to use it all the same; empty if there is none.
    fitted_again
        Number of rows on which the model was fitted again after its evaluation, with the same recipe; 0 if it is the
        one that was evaluated.
    recalibrated
        How the level of the probabilities was corrected after the training, in words; empty if it was not.
    used_until
        The instant until which outcomes were used for that, microseconds; 0 if it was not.
    """

    trained_at: str
    unit: str
    data: DataFacts
    rows: int
    conversions: int
    data_hash: str
    params_hash: str
    recipe_hash: str
    label_hash: str
    excluded: Mapping[str, str]
    accepted_leaks: Mapping[str, str]
    findings: tuple[Finding, ...]
    choices: Mapping[str, int | float | str]
    is_small: bool
    split: SplitRecord
    weakness: str
    accepted_weak: str
    fitted_again: int
    recalibrated: str
    used_until: int

    @property
    def known_until(self) -> int | None:
        """The instant until which outcomes were known, microseconds; None for leads without dates."""
        if self.data.maturity is not None:
            return max(from_shown(self.data.maturity.observed_until), self.used_until)
        newest = self.split.holdout.last
        if newest is None:
            return None
        return max(newest + 1, self.used_until)  # a flat lead has its outcome right after it was created

    @property
    def is_usable(self) -> bool:
        """Whether the version may be put in use: it is not weak, or a person said why it is used all the same."""
        return not self.weakness or bool(self.accepted_weak)

    @property
    def weighed(self) -> str:
        """Which leads below the cut stand for others in fit and evaluation, in words; empty if each counts once."""
        if "weighed_rows" not in self.choices:
            return ""
        more, never = self.choices["weighed_rows"], self.choices["left_out_rows"]
        return f"{more:,} {self.unit} that were marked to be worked stand for all; {never:,} others are left out"

    @property
    def stamp(self) -> str:
        """What users of the version must know first, in sentences; empty if there is nothing."""
        return " ".join(filter(None, (self._weak_stamp(), self._small_stamp())))

    def _weak_stamp(self) -> str:
        if not self.weakness:
            return ""
        use = f"It is used all the same: {self.accepted_weak}." if self.accepted_weak else "It should not be used."
        return f"Weak: {self.weakness}. {use}"

    def _small_stamp(self) -> str:
        if not self.is_small:
            return ""
        few = "there are fewer leads or conversions than leadml asks for"
        if self.choices.get("points_terms"):
            alone = float(self.choices["points_weight"])
            return (
                f"Rule first: {few}, so the model starts from the points of baselines.points, as far as outcomes agree "
                f"with them; a part that reads nothing else has a weight of {alone:.0%}."
            )
        return f"Low evidence: {few}, and limits.allow_small is set."


@dataclass(frozen=True)
class Manifest:
    """The content of a bundle's ``manifest.json``.

    Parameters
    ----------
    format
        Version of the format of bundles; leadml reads only one.
    target
        Name of the target.
    leadml
        The version of leadml that wrote the bundle.
    model_hash
        SHA-256 of the model; the same data and choices give the same hash.
    cuts
        The cuts of the advised stages.
    dialect
        How the files of the training were written.
    record
        The record of the training.
    libraries, machine
        Versions of libraries and features of the processor; where they are equal, scores are equal to the bit.
    files
        SHA-256 of every other file, by name.
    """

    format: int
    target: str
    leadml: str
    model_hash: str
    cuts: tuple[Cut, ...]
    dialect: Dialect
    record: TrainingRecord
    libraries: Mapping[str, str]
    machine: tuple[str, ...]
    files: Mapping[str, str]

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the manifest that `to_json` wrote.

        Raises
        ------
        ValueError
            If a part is missing or has another type; the message names the first.
        """
        try:
            manifest: Self = TypeAdapter(cls).validate_python(stored)
        except ValidationError as error:
            first = error.errors()[0]
            msg = f"{'.'.join(map(str, first['loc']))}: {inert(first['msg'])}"
            raise ValueError(msg) from None
        return manifest

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as values that JSON can store."""
        stored: dict[str, Any] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return stored
