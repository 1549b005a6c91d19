"""A project as people use it from Python: ``leadml.open_project`` gives one, and the command line is a skin over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadml.bundle.model import Model, load
from leadml.jobs.check import CheckResult, check
from leadml.jobs.explain import Explained, explain
from leadml.jobs.places import Places
from leadml.jobs.propose import propose_params
from leadml.jobs.report import build_report
from leadml.jobs.score import ScoreRequest, ScoreSummary, score
from leadml.jobs.status import describe
from leadml.jobs.train import Trained, train
from leadml.leads.sources.source import scoring_source
from leadml.params import parse_params
from leadml.publish.files import write_text
from leadml.publish.page import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.types import Progress


def quietly(step: str) -> None:
    """Say nothing of a step: how a library reports progress."""
    del step


def present() -> str:
    """Return the present instant in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, repr=False)
class Project:
    """The leads, the choices and the versions of one target.

    Parameters
    ----------
    places
        The choices and where everything is.
    progress
        Called with the name of each step as it begins.
    """

    places: Places
    progress: Progress = quietly

    @property
    def target(self) -> str:
        """What is predicted."""
        return self.places.target

    def check(self, file: str | Path | None = None) -> CheckResult:
        """Return whether the leads are ready to be learned from, and what to do where they are not.

        Parameters
        ----------
        file
            Flat leads to check in place of those that params name, or None.

        Raises
        ------
        ParamsError
            Where a file is given and leads are dated.
        """
        path = None if file is None else Path(file)
        return check(self.places, now=present(), progress=self.progress, file=path)

    def train(self) -> Trained:
        """Train on leads whose outcome is known, evaluate on the holdout, and keep the version.

        Raises
        ------
        DataError, ModelError
            Where the data are not ready, a leak is suspected, or a rule of the stages has no cut.
        """
        return train(self.places, now=present(), progress=self.progress)

    def model(self, version: str | None = None) -> Model:
        """Return a version, loaded.

        Parameters
        ----------
        version
            Its name; None for the version in use.

        Raises
        ------
        BundleError
            Where there is no such version, or any byte of it is not as it was written.
        """
        registry = self.places.registry
        folder = registry.champion_path() if version is None else registry.path(version)
        return load(folder, threads=self.places.params.model.threads)

    def score(
        self,
        file: str | Path | None = None,
        *,
        out: str | Path | None = None,
        as_of: str | date | None = None,
        contributions: str | Path | None = None,
        held_out: bool = False,
        raw: bool = False,
    ) -> ScoreSummary:
        """Score leads with the version in use and write the rows to a file or a database table.

        Parameters
        ----------
        file
            Flat leads: CSV or Parquet, a file or a folder; None where leads are dated.
        out
            File to write, ``.csv`` or ``.parquet``; None for the database of params.
        as_of
            The date as of which dated leads are scored; None for flat ones.
        contributions
            File for every contribution, or None.
        held_out
            Whether only the leads of the holdout are scored.
        raw
            Whether CSV is written for machines: text that begins like a formula stays as it is.

        Raises
        ------
        DataError, LeadmlError
            As `leadml.jobs.score.score`.
        """
        paths = [None if path is None else Path(path) for path in (file, out, contributions)]
        request = ScoreRequest(paths[0], _text(as_of), paths[1], held_out, paths[2], raw)
        return score(self.model(), request, project=self.places, now=present(), progress=self.progress)

    def snapshots(self, as_of: str | date | None = None, *, file: str | Path | None = None) -> pd.DataFrame:
        """Return the rows that would be scored, with every feature: what `Model.score` and `Model.explain` take.

        Parameters
        ----------
        as_of
            The date as of which dated leads are seen; None for flat ones.
        file
            Flat leads; None for those that params name.
        """
        import pandas as pd  # noqa: PLC0415 - most commands need no frame

        path = self.places.data if file is None else Path(file)
        source = scoring_source(self.model().bundle.leads, self.places, now=present(), file=path)
        rows = self.places.params.score.chunk_rows
        with source.at(_text(as_of), progress=self.progress, rows=rows) as leads:
            return pd.concat([piece.frame for piece in leads.chunks()], ignore_index=True)

    def explain(self, lead_id: str, *, as_of: str | date | None = None, file: str | Path | None = None) -> Explained:
        """Return why one lead has its number.

        Parameters
        ----------
        lead_id
            The lead.
        as_of
            The date as of which a dated lead is seen; None for flat ones.
        file
            Flat leads; None for those that params name.

        Raises
        ------
        DataError
            Where there is no such lead, a row of it is at fault, or it is outside the population.
        """
        path = self.places.data if file is None else Path(file)
        model = self.model()
        source = scoring_source(model.bundle.leads, self.places, now=present(), file=path)
        return explain(model, lead_id, source=source, as_of=_text(as_of), progress=self.progress)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report of the version in use and return where it is.

        Parameters
        ----------
        out
            File to write, ``.html``; None for ``reports/<target>.html``.
        """
        path = self.places.reports / f"{self.target}.html" if out is None else Path(out)
        write_text(path, render(build_report(self.model(), batch=self.places.registry.last_batch())))
        return path

    def status(self) -> dict[str, str]:
        """Return what is in use, since when, where its stages begin, and what it scored last."""
        return dict(describe(self.places))

    def __repr__(self) -> str:
        """Return what the project is, in one line."""
        versions = len(self.places.registry.versions())
        return f"<leadml project of {self.target}, {self.places.root.resolve().name}, {versions} versions>"


def open_project(
    path: str | Path = "params.yaml", *, target: str | None = None, overrides: Sequence[str] = ()
) -> Project:
    """Return the project of a ``params.yaml``.

    Parameters
    ----------
    path
        The file.
    target
        What is predicted, where params declare several.
    overrides
        Choices to replace, as ``section.key=value``.

    Raises
    ------
    ParamsError
        Where a choice cannot be followed, or the target is not declared.
    """
    return Project(Places.open(Path(path), overrides, target=target))


def proposed_project(file: str | Path, progress: Progress = quietly) -> Project:
    """Return the project that ``leadml init`` would propose for a file of flat leads, without writing it.

    Parameters
    ----------
    file
        CSV or Parquet, a file or a folder, with a column that could be a label.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        Where the file cannot be read, or no column could be a label.
    """
    path = Path(file).resolve()
    params = parse_params(propose_params(path, written_as=path.name))
    return Project(Places(path.parent, params, params.target_names[0]), progress)


def _text(as_of: str | date | None) -> str | None:
    return as_of.isoformat() if isinstance(as_of, date) else as_of
