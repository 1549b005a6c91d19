"""What a source of leads answers, and which source a project or a model needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from leadml.errors import LeadmlError, ParamsError
from leadml.leads.check.contract import LEAD_ID, Contract
from leadml.leads.read.files import Dialect
from leadml.leads.read.frames import FrameSource
from leadml.leads.read.table_source import FileSource
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.flat import FlatLeads
from leadml.leads.sources.settings import AsOfSettings, SingleSnapshot, settings_from_params

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    from leadml.leads.sources.leads_as_of import LeadsAsOf
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.leads.sources.training_set import TrainingSet
    from leadml.leads.split import Holdout
    from leadml.params import Params
    from leadml.types import Progress


class LeadSource(Protocol):
    """Where leads come from; each method reads the source anew."""

    def training(self, *, progress: Progress) -> TrainingSet:
        """Return the labelled training set.

        Raises
        ------
        DataError
            Where any row is not what was declared.
        ModelError
            Where nothing is mature, or nothing is on one of the sides of the split.
        """

    def at(self, as_of: str | None, *, progress: Progress, rows: int) -> AbstractContextManager[LeadsAsOf]:
        """Give the leads as of an instant until the block ends, at most ``rows`` at a time.

        Parameters
        ----------
        as_of
            A date or a time in ISO 8601 for dated leads; None for flat ones.
        progress
            Called with the name of each step as it begins.
        rows
            Largest size of a chunk.

        Raises
        ------
        DataError
            Where the source as a whole cannot be read; a row at fault is passed on with the chunks.
        LeadmlError
            Where the instant is missing, superfluous or in the future.
        """

    def find(self, lead_id: str, as_of: str | None, *, progress: Progress) -> pd.DataFrame:
        """Return the one row of a lead as of an instant: exactly where `at` gives it to be scored, and the same row.

        Raises
        ------
        DataError
            Where there is no such lead, a row of it is at fault, or it is outside the population.
        """


class ProjectPlaces(Protocol):
    """The choices of a project, and the folder that paths in them are relative to."""

    @property
    def root(self) -> Path:
        """The folder of ``params.yaml``."""

    @property
    def params(self) -> Params:
        """The choices."""


@dataclass(frozen=True)
class LeadSpec:
    """What a model must know to read more leads like those that it learned from; stored with it.

    Parameters
    ----------
    contract
        Columns and fields, without the label.
    settings
        How snapshots are taken.
    dialect
        How the files of the training were written.
    holdout
        The rule by which the rows of the evaluation were held out.
    rows_by_kind
        Activities of each kind when the model was trained.
    """

    contract: Contract
    settings: SnapshotSettings
    dialect: Dialect
    holdout: Holdout
    rows_by_kind: Mapping[str, int] = field(default_factory=dict)

    @property
    def frame_contract(self) -> Contract:
        """The columns of a frame to score: each field under its own name, whatever it was computed from before."""
        if isinstance(self.settings, SingleSnapshot):
            return replace(self.contract, created_at=None)
        fields = tuple(replace(entry, source="column") for entry in self.contract.fields)
        return Contract(fields, lead_id=LEAD_ID, timezone=self.contract.timezone)


def declared_file(project: ProjectPlaces) -> Path | None:
    """Return the file or folder of flat leads that params name, or None where leads are dated."""
    path = project.params.data.path
    return None if path is None else project.root / path


def declared_tables(project: ProjectPlaces) -> list[Path]:
    """Return the files and folders of dated leads that params name."""
    sources = project.params.sources
    tables = (sources.leads, sources.activities, sources.outcomes) if sources is not None else ()
    return [project.root / table.path for table in tables if table is not None and table.path is not None]


def training_source(project: ProjectPlaces, target: str, *, now: str, file: Path | None = None) -> LeadSource:
    """Return the source that a project learns from.

    Parameters
    ----------
    project
        Choices and folder.
    target
        What is predicted.
    now
        The instant of the job in ISO 8601.
    file
        Flat leads to take in place of those that params name, or None.

    Raises
    ------
    ParamsError
        Where a file is given and leads are dated.
    """
    params = project.params
    contract, settings = Contract.from_params(params), settings_from_params(params, target)
    if isinstance(settings, AsOfSettings):
        if file is not None:
            msg = "dated leads come from the sources of params.yaml, so FILE must not be given"
            raise ParamsError(msg)
        return DatedLeads(project.root, params, contract, settings, now)
    path = file or project.root / str(params.data.path)
    return FlatLeads(FileSource(path, Dialect.from_params(params.data)), contract, params.split)


def scoring_source(
    spec: LeadSpec, project: ProjectPlaces | None, *, now: str, file: Path | None = None, held_out: bool = False
) -> LeadSource:
    """Return the source of the leads that a model scores or explains.

    Parameters
    ----------
    spec
        Of the model.
    project
        Where the tables of dated leads are, and how files are written; None where there is no ``params.yaml``.
    now
        The instant of the job in ISO 8601.
    file
        Where flat leads are.
    held_out
        Whether only the leads of the holdout are scored.

    Raises
    ------
    LeadmlError
        Where flat leads and dated ones are confused.
    """
    if isinstance(spec.settings, AsOfSettings):
        if file is not None or held_out:
            msg = "dated leads come from the sources of params.yaml, so a file and --held-out must not be given"
            raise LeadmlError(msg)
        if project is None:
            msg = "dated leads come from the sources of params.yaml, got no such file; name it with --params"
            raise LeadmlError(msg)
        return DatedLeads(project.root, project.params, spec.contract, spec.settings, now, spec.rows_by_kind)
    if file is None:
        msg = "flat leads must be given as a file, got none; name it: leadml score FILE, leadml explain ID --file FILE"
        raise LeadmlError(msg)
    dialect = spec.dialect if project is None else Dialect.from_params(project.params.data)
    return FlatLeads(FileSource(file, dialect), spec.contract, only=spec.holdout if held_out else None)


def frame_source(spec: LeadSpec, frame: Any) -> LeadSource:
    """Return the source of the leads of a frame, which need no file.

    Parameters
    ----------
    spec
        Of the model.
    frame
        A frame of pandas, Polars or PyArrow, or of another library that Narwhals reads.
    """
    return FlatLeads(FrameSource.of(frame, spec.dialect), spec.frame_contract, in_memory=True)
