"""Choose the source of leads of a project, a model or a frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from leadml.errors import DataError, Fault, LeadmlError, ParamsError, quoted
from leadml.leads.asof.events import latest_instant
from leadml.leads.check.contract import AS_OF, LEAD_ID, Contract, Label
from leadml.leads.check.instants import instant
from leadml.leads.read.files import Dialect
from leadml.leads.read.frames import FrameSource
from leadml.leads.read.table_source import FileSource
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.flat import FlatLeads
from leadml.leads.sources.settings import AsOfSettings, SingleSnapshot, settings_from_params
from leadml.leads.sources.suppression import read_suppressed, without_suppressed
from leadml.params import normal_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from leadml.leads.read.table_source import TableSource
    from leadml.leads.sources.lead_source import LeadSource
    from leadml.leads.sources.settings import SnapshotSettings
    from leadml.leads.split import Holdout
    from leadml.params import Params

EVER = -(2**62)  # an instant before all others, microseconds


class ProjectPlaces(Protocol):
    """The choices of a project, and the folder that their paths are relative to."""

    @property
    def root(self) -> Path:
        """The folder of ``params.yaml``."""

    @property
    def params(self) -> Params:
        """The choices."""


@dataclass(frozen=True)
class LeadSpec:
    """How leads are read for a model: as they were read when it was trained. Stored with the model.

    Parameters
    ----------
    contract
        Columns and fields, without the label.
    settings
        How snapshots are taken.
    dialect
        The dialect of the files of the training.
    holdout
        The rule that held out the rows of the evaluation.
    rows_by_kind
        Number of activities of each kind when the model was trained.
    """

    contract: Contract
    settings: SnapshotSettings
    dialect: Dialect
    holdout: Holdout
    rows_by_kind: Mapping[str, int] = field(default_factory=dict)

    @property
    def frame_contract(self) -> Contract:
        """The columns of a frame to score: a column for each field, under its own name."""
        if isinstance(self.settings, SingleSnapshot):
            return replace(self.contract, created_at=None)
        fields = tuple(replace(entry, source="column") for entry in self.contract.fields)
        return Contract(fields, lead_id=LEAD_ID, timezone=self.contract.timezone)


def declared_file(project: ProjectPlaces) -> Path | None:
    """Return the file or folder of flat leads that params name, or None if leads are dated."""
    path = project.params.data.path
    return None if path is None else project.root / path


def declared_tables(project: ProjectPlaces) -> list[Path]:
    """Return the files and folders of dated leads that params name."""
    sources = project.params.sources
    tables = (sources.leads, sources.activities, sources.outcomes) if sources is not None else ()
    return [project.root / table.path for table in tables if table is not None and table.path is not None]


def training_source(project: ProjectPlaces, target: str, *, now: str, file: Path | None = None) -> LeadSource:
    """Return the source of a project's training set.

    Parameters
    ----------
    project
        Choices and folder.
    target
        Name of the target.
    now
        The instant of the job in ISO 8601.
    file
        Flat leads to read instead of those that params name, or None.

    Raises
    ------
    ParamsError
        If a file is given and leads are dated.
    """
    params = project.params
    contract, settings = Contract.from_params(params), settings_from_params(params, target)
    if isinstance(settings, AsOfSettings):
        if file is not None:
            msg = "dated leads come from the sources of params.yaml, so FILE must not be given"
            raise ParamsError(msg)
        return DatedLeads(project.root, params, contract, settings, now)
    path = file or project.root / str(params.data.path)
    table = _without_suppressed(FileSource(path, Dialect.from_params(params.data)), contract, project)
    return FlatLeads(table, contract, params.split, latest=latest_instant(instant(now, timezone="UTC")))


def labelled_source(spec: LeadSpec, project: ProjectPlaces, *, now: str) -> LeadSource:
    """Return the source of a project's labelled leads, read as for the training of a model.

    Parameters
    ----------
    spec
        The lead spec of the model.
    project
        Choices and folder.
    now
        The instant of the job in ISO 8601.
    """
    if isinstance(spec.settings, AsOfSettings):
        return scoring_source(spec, project, now=now)
    contract = replace(spec.contract, label=Contract.from_params(project.params).label)
    dialect = replace(Dialect.from_params(project.params.data), missing=spec.dialect.missing)
    path = project.root / str(project.params.data.path)
    table = _without_suppressed(FileSource(path, dialect), contract, project)
    return FlatLeads(table, contract, project.params.split, latest=latest_instant(instant(now, timezone="UTC")))


def scoring_source(
    spec: LeadSpec,
    project: ProjectPlaces | None,
    *,
    now: str,
    file: Path | None = None,
    held_out: bool = False,
    only_open: bool = False,
    keep: tuple[str, ...] = (),
) -> LeadSource:
    """Return the source of the leads that a model scores or explains.

    Parameters
    ----------
    spec
        The lead spec of the model.
    project
        The project, which names the tables of dated leads and the dialect of files; None without a ``params.yaml``.
    now
        The instant of the job in ISO 8601.
    file
        The file or folder of flat leads.
    held_out
        Whether only the leads of the holdout are scored.
    only_open
        Whether only the leads are scored whose outcome is open by ``target`` of the params.
    keep
        Columns of the leads that are carried through.

    Raises
    ------
    LeadmlError
        If the arguments do not fit the kind of leads, flat or dated.
    """
    asked = replace(spec.contract, kept=tuple(map(normal_name, keep)))
    if isinstance(spec.settings, AsOfSettings):
        if file is not None or held_out:
            msg = "dated leads come from the sources of params.yaml: a file and held_out (--held-out) must not be given"
            raise LeadmlError(msg)
        if only_open:
            msg = "of dated leads only open ones are scored: only_open (--open) must not be given"
            raise LeadmlError(msg)
        if project is None:
            msg = "dated leads come from the sources of params.yaml, got no params.yaml; name it with --params"
            raise LeadmlError(msg)
        words = spec.dialect.missing
        return DatedLeads(project.root, project.params, asked, spec.settings, now, spec.rows_by_kind, words)
    if file is None:
        msg = "flat leads must be given as a file, got none; name it: leadml score FILE, leadml explain ID --file FILE"
        raise LeadmlError(msg)
    dialect = spec.dialect
    if project is not None:  # which words mean a missing value is settled by the training
        dialect = replace(Dialect.from_params(project.params.data), missing=spec.dialect.missing)
    table = _without_suppressed(FileSource(file, dialect), spec.contract, project)
    contract = replace(asked, label=_open_label(project)) if only_open else asked
    latest = latest_instant(instant(now, timezone="UTC")) if only_open else None
    return FlatLeads(table, contract, holdout=spec.holdout if held_out else None, only_open=only_open, latest=latest)


def _open_label(project: ProjectPlaces | None) -> Label:
    """Return the label by which leads are open.

    Raises
    ------
    LeadmlError
        If params do not say which leads are open.
    """
    target = project.params.target if project is not None else None
    if target is None or (not target.open and target.wait_days is None):
        msg = (
            "only_open (--open) scores the leads that are open by target.open or target.wait_days of params.yaml, got "
            "neither; set one, or score the whole file"
        )
        raise LeadmlError(msg)
    return Label.from_params(target)


def _without_suppressed(table: TableSource, contract: Contract, project: ProjectPlaces | None) -> TableSource:
    """Return a table of flat leads without the people that the lists of a project name."""
    if project is None:
        return table
    return without_suppressed(table, contract.lead_id, read_suppressed(project.root, project.params))


def frame_source(spec: LeadSpec, frame: Any) -> LeadSource:
    """Return the source of the leads of a frame.

    Parameters
    ----------
    spec
        The lead spec of the model.
    frame
        A frame of pandas, Polars or PyArrow, or of another library that Narwhals reads. If leads are dated, its rows
        are snapshots as of one instant.

    Raises
    ------
    DataError
        If the object is not a frame, or snapshots are as of more than one instant.
    """
    contract = spec.frame_contract
    if isinstance(spec.settings, SingleSnapshot):
        return FlatLeads(FrameSource.of(frame, spec.dialect, contract.columns), contract, in_memory=True)
    # Snapshots have been read already, so that no word of the dialect means a missing value in them.
    table = FrameSource.of(frame, Dialect(), (*contract.columns, AS_OF))
    return FlatLeads(table, contract, in_memory=True, instant=_instant_of(table, contract))


def _instant_of(table: FrameSource, contract: Contract) -> dict[str, str]:
    """Return the column ``as_of`` of snapshots and its value, or nothing if they have no such column."""
    missing = [name for name in contract.columns if name not in table.names]
    if missing:
        message = (
            f"must be snapshots, as Project.snapshots returns them, with {LEAD_ID} and a column for each field, "
            f"got {len(missing):,} columns too few, {quoted(missing[0])} for example"
        )
        raise DataError([Fault(table.name, message)])
    values = table.distinct(AS_OF)
    if len(values) > 1 or None in values:
        got = "missing values" if None in values else f"{len(values):,} instants"
        message = f"must be the same instant in all rows, got {got}; score the snapshots of each instant alone"
        raise DataError([Fault(table.name, message, AS_OF)])
    return {AS_OF: str(values[0])} if values else {}
