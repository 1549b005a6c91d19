"""The Python interface of a project, as ``leadml.open_project`` returns it; each method runs one job."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadml.arguments import file_path, require_suffix
from leadml.errors import ParamsError, quoted
from leadml.jobs.check import CheckResult, check
from leadml.jobs.explain import Explained, explain
from leadml.jobs.keep import last_batch
from leadml.jobs.lead_records import as_text, current_instant, ignore_progress
from leadml.jobs.next_version import NextVersion
from leadml.jobs.places import Places
from leadml.jobs.propose import propose_params
from leadml.jobs.report import build_report
from leadml.jobs.score import ScoreSummary, score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.status import describe
from leadml.jobs.train import Trained, train
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.sources.source import scoring_source
from leadml.params import parse_params
from leadml.publish.files import write_text
from leadml.publish.page import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from leadml.types import Progress


PARAMS = "params.yaml"


@dataclass(frozen=True, repr=False, eq=False)
class Project(NextVersion):
    """The leads, the choices and the stored versions of one target.

    Parameters
    ----------
    places
        The choices and paths.
    progress
        Called with the name of each step as it begins.
    """

    @property
    def target(self) -> str:
        """The name of the target."""
        return self.places.target

    def check(self, file: str | Path | None = None) -> CheckResult:
        """Return whether the leads are ready for a training, and what to do if they are not.

        Parameters
        ----------
        file
            Flat leads to check instead of those that params name, or None.

        Raises
        ------
        ParamsError
            If a file is given and leads are dated.

        Examples
        --------
        >>> {finding.severity for finding in project.check().findings} <= {"passed", "warn", "not applicable"}
        True
        """
        path = _path(file, "file")
        return check(self.places, now=current_instant(), progress=self.progress, file=path)

    def train(self, *, accept_weak: str = "") -> Trained:
        """Train on leads whose outcome is known, evaluate on the holdout, and store the version.

        The first version is put in use, unless it is weak: worse than a baseline, or not to be told from the base rate.

        Parameters
        ----------
        accept_weak
            Your reason to use the version even if it is weak; reports and scores show it.

        Raises
        ------
        DataError, ModelError
            If the data are not ready, a leak is suspected, or a rule of the stages has no cut.
        """
        return train(self.places, now=current_instant(), progress=self.progress, accept_weak=accept_weak)

    def score(
        self,
        file: str | Path | None = None,
        *,
        out: str | Path | None = None,
        as_of: str | date | None = None,
        contributions: str | Path | None = None,
        held_out: bool = False,
        only_open: bool = False,
        raw: bool = False,
    ) -> ScoreSummary:
        """Score leads with the version in use and write the rows to a file or a database table.

        A frame is scored with `Project.model` and `Model.score`. Paths are relative to the working folder.

        Parameters
        ----------
        file
            Flat leads, a file or a folder; None if leads are dated.
        out
            File to write, ``.csv``, ``.parquet`` or ``.delta``; None for the database of ``output.database``.
        as_of
            The date as of which dated leads are scored; None for flat leads.
        contributions
            File for every contribution, or None.
        held_out
            Whether only the leads of the holdout are scored.
        only_open
            Whether only the leads are scored whose outcome is open, by ``target.open`` and ``target.wait_days``.
        raw
            Whether CSV is written for machines: text that begins like a formula is not escaped.

        Raises
        ------
        DataError, LeadmlError
            See `leadml.jobs.score.score`.

        Examples
        --------
        >>> summary = project.score(project.places.data, out=project.places.root / "scored.csv", held_out=True)
        >>> summary.scored, summary.not_scored
        (1068, 0)
        """
        paths = [_path(path, name) for path, name in ((file, "file"), (out, "out"), (contributions, "contributions"))]
        request = ScoreRequest(paths[0], as_text(as_of), paths[1], held_out, paths[2], raw, only_open)
        return score(self.model(), request, project=self.places, now=current_instant(), progress=self.progress)

    def snapshots(self, as_of: str | date) -> pd.DataFrame:
        """Return the snapshots of dated leads to score: the frame that `Model.score` and `Model.explain` accept.

        Flat leads need none: give `Model.score` a frame with the columns of the file.

        Parameters
        ----------
        as_of
            The date of the snapshots.

        Returns
        -------
        DataFrame
            One row per lead of the population: ``lead_id``, ``as_of`` (in ISO 8601) and every field.

        Raises
        ------
        LeadmlError
            If leads are flat, or the date is missing or lies in the future.
        """
        import pandas as pd  # noqa: PLC0415 - most commands need no frame

        spec = self.model().bundle.leads
        source = scoring_source(spec, self.places, now=current_instant(), file=self.places.data)
        rows = self.places.params.score.chunk_rows
        with source.at(as_text(as_of) or "", progress=self.progress, rows=rows) as leads:
            frame = pd.concat([chunk.frame for chunk in leads.chunks()], ignore_index=True)
            for doubt in leads.doubts:
                warnings.warn(doubt, stacklevel=2)
        fields = frame[[entry.name for entry in spec.contract.fields]]
        return pd.concat([frame[[LEAD_ID]].assign(**leads.stamp), fields], axis=1)

    def explain(
        self, lead_id: str | int, *, as_of: str | date | None = None, file: str | Path | None = None
    ) -> Explained:
        """Return the contributions to the probability of one lead.

        Parameters
        ----------
        lead_id
            The id of the lead.
        as_of
            The date of the snapshot of a dated lead; None for flat leads.
        file
            Flat leads; None for those that params name.

        Raises
        ------
        DataError
            If there is no such lead, one of its rows has a fault, or it is outside the population.

        Examples
        --------
        >>> project.explain("233").table["reason"][0]
        'starting point'
        """
        path = self.places.data if file is None else _path(file, "file")
        model = self.model()
        source = scoring_source(model.bundle.leads, self.places, now=current_instant(), file=path)
        params, progress = self.places.params, self.progress
        return explain(model, str(lead_id), source=source, as_of=as_text(as_of), progress=progress, params=params)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report of the version in use and return the path of the file.

        Parameters
        ----------
        out
            File to write, ``.html``; None for ``reports/<target>.html``.
        """
        path = _path(out, "out") or self.places.reports / f"{self.target}.html"
        require_suffix(path, ".html")
        write_text(path, render(build_report(self.model(), batch=last_batch(self.places))))
        return path

    def status(self) -> dict[str, str]:
        """Return the version in use, when it was trained, its cuts, and the last batch that was scored.

        Examples
        --------
        >>> project.status()["in use"]
        'version 1 of 1'
        """
        return dict(describe(self.places))

    def __repr__(self) -> str:
        """Return target, folder and number of versions in one line."""
        versions = len(self.places.registry.versions())
        return f"<leadml project of {self.target}, {self.places.root.resolve().name}, {versions} versions>"


def open_project(
    path: str | Path = "params.yaml",
    *,
    target: str | None = None,
    overrides: Sequence[str] = (),
    progress: Progress = ignore_progress,
) -> Project:
    """Return the project of a ``params.yaml``.

    Parameters
    ----------
    path
        The ``params.yaml``, or its folder. Paths in it are relative to that folder.
    target
        Name of the target; needed if params declare several.
    overrides
        Choices to override, as ``section.key=value``: ``["split.seed=1"]``.
    progress
        Called with the name of each step of a job as it begins: ``print``.

    Raises
    ------
    ParamsError
        If a choice is not valid, or the target is not declared.
    """
    if isinstance(overrides, str) or not all(isinstance(override, str) for override in overrides):
        msg = f'overrides must be a list of texts such as ["split.seed=1"], got {quoted(overrides)}'
        raise ParamsError(msg)
    file = file_path(path, "path").resolve()  # a later change of the working folder must not move the project
    return Project(Places.open(file / PARAMS if file.is_dir() else file, overrides, target=target), progress)


def proposed_project(
    file: str | Path, progress: Progress = ignore_progress, *, overrides: Sequence[str] = ()
) -> Project:
    """Return the project that ``leadml init`` would propose for a file of flat leads, without writing it.

    Parameters
    ----------
    file
        A file or a folder, with a column that could be a label.
    progress
        Called with the name of each step as it begins.
    overrides
        Texts ``section.key=value``, each of which replaces one value of the proposal.

    Raises
    ------
    DataError
        If the file cannot be read.
    UndecidedError
        If it remains open which column is the label, or how dates are written.
    """
    path = Path(file).resolve()
    params = parse_params(propose_params(path), overrides=overrides)
    return Project(Places(path.parent, params, params.target_names[0]), progress)


def _path(path: object, name: str) -> Path | None:
    """Return an argument as a path, or None."""
    return None if path is None else file_path(path, name, "; score a frame with project.model().score(frame)")
