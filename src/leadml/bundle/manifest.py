"""What happened when a version was made: dates, hashes, counts and findings, none of which decides a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from leadml.errors import inert
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
        What people call the split.
    learn, holdout
        How large both parts are.
    folds
        How large each fold is.
    """

    name: str
    learn: PartSize
    holdout: PartSize
    folds: tuple[FoldSize, ...]


@dataclass(frozen=True)
class TrainingRecord:
    """What happened in a training.

    Parameters
    ----------
    trained_at
        Instant in ISO 8601.
    unit
        What a row is called: leads or snapshots.
    data
        Where the rows came from.
    rows, conversions
        Rows with labels, and those of them that converted.
    data_hash, params_hash
        SHA-256 of the rows and of the choices.
    excluded, accepted_leaks
        Fields with the reason why they are not used, or are used though they were suspected.
    findings
        What was found in the data: only what stops or warns.
    choices
        What the fit selected, and the log loss of every candidate, by name.
    is_small
        Whether there were fewer leads than leadml asks for.
    split
        How the rows were divided.
    """

    trained_at: str
    unit: str
    data: DataFacts
    rows: int
    conversions: int
    data_hash: str
    params_hash: str
    excluded: Mapping[str, str]
    accepted_leaks: Mapping[str, str]
    findings: tuple[Finding, ...]
    choices: Mapping[str, int | float | str]
    is_small: bool
    split: SplitRecord


@dataclass(frozen=True)
class Manifest:
    """What a bundle's ``manifest.json`` says.

    Parameters
    ----------
    format
        Number of the format; leadml reads its own only.
    target
        What is predicted.
    leadml
        The version of leadml that wrote the bundle.
    model_hash
        SHA-256 of the model: the same for the same data and choices.
    cuts
        Where each advised stage begins.
    dialect
        How the files of the training were written.
    record
        What happened.
    libraries, machine
        Versions and kind of machine on which scores are the same to the bit.
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
            Where a part is missing or is of another type; its text names the first.
        """
        try:
            found: Self = TypeAdapter(cls).validate_python(stored)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            msg = f"{'.'.join(map(str, first['loc']))}: {inert(first['msg'])}"
            raise ValueError(msg) from None
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as plain data."""
        plain: dict[str, Any] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return plain
