"""A loaded version that scores and explains frames: the value that ``leadml.load`` returns."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadml.arguments import file_path, whole_number
from leadml.bundle.champion import CHAMPION, champion_folder
from leadml.bundle.saved_cuts import newest_saved
from leadml.bundle.scoring import Batch, batch_id, refused_rows, scored_rows
from leadml.bundle.storage import MANIFEST, load_bundle
from leadml.errors import BundleError, inert
from leadml.leads.check.instants import instant as to_instant
from leadml.leads.read.frames import like
from leadml.leads.sources.source import frame_source
from leadml.model.predict.explain import contribution_table, explain_leads

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from leadml.bundle.contents import Bundle
    from leadml.bundle.manifest import Manifest
    from leadml.leads.sources.leads_as_of import LeadsAsOf
    from leadml.model.judge.evaluation import Evaluation

# Changes no number, only memory: a frame is in memory as a whole, and 20 fields of a million rows are 160 MB more.
FRAME_CHUNK_ROWS = 1_000_000
REASONS, MAX_REASONS = 3, 20  # as the params key score.reasons
MAX_THREADS = 1024  # as the params key model.threads; LightGBM ends the process with very many


@dataclass(frozen=True, repr=False, eq=False)
class Model:
    """A version of a model that scores frames and explains every score.

    Each method accepts a frame of pandas, Polars or PyArrow and returns a frame of the same library. A frame has one
    row per lead and the columns of the training; for a model of dated leads it has one row per snapshot, a column
    for each field, and perhaps ``as_of``, which is then the same in all rows.

    Parameters
    ----------
    bundle
        The model with its stages, its evaluation and its record.
    manifest
        The manifest of its files.
    folder
        The folder of the version.
    cuts_number
        The version of its saved cuts; 0 for those that it was trained with.
    """

    bundle: Bundle
    manifest: Manifest
    folder: Path
    cuts_number: int = 0

    @property
    def version(self) -> str:
        """The name of the version.

        Examples
        --------
        >>> model.version
        '1'
        """
        return self.folder.name

    @property
    def scored_version(self) -> str:
        """The name of the version in scored rows: ``1``, or ``1.2`` with its second saved cuts.

        Examples
        --------
        >>> model.scored_version
        '1'
        """
        return f"{self.version}.{self.cuts_number}" if self.cuts_number else self.version

    @property
    def target(self) -> str:
        """The name of the target.

        Examples
        --------
        >>> model.target
        'subscribed'
        """
        return self.bundle.target

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a score depends on, in order.

        Examples
        --------
        >>> model.fields[:3]
        ('age', 'job', 'marital')
        """
        return tuple(field.name for field in self.bundle.model.encoder.fields)

    @property
    def cuts(self) -> dict[str, float]:
        """The cut of each advised stage, lowest first; a lead is in a stage if its probability is the cut or higher.

        Examples
        --------
        >>> list(model.cuts), sorted(model.cuts.values()) == list(model.cuts.values())
        (['IQL', 'MQL', 'SQL'], True)
        """
        return {cut.stage: cut.probability for cut in self.bundle.stages.cuts}

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation on the holdout, each figure with its interval.

        Examples
        --------
        >>> auc = model.evaluation.metric("roc_auc")
        >>> bool(auc["low"] < auc["value"] < auc["high"])
        True
        """
        return self.bundle.evaluation

    @property
    def importance(self) -> pd.DataFrame:
        """Mean of the absolute points of each field on the holdout, with its interval, strongest first.

        Examples
        --------
        >>> model.importance["value"].is_monotonic_decreasing
        True
        """
        return self.bundle.evaluation.importance

    def score(self, leads: Any, *, reasons: int = REASONS, scored_at: str | None = None) -> Any:
        """Return one row for each lead: probability with interval, stage, grade and reasons.

        Parameters
        ----------
        leads
            Frame of shape (n_leads, n_columns) with the columns of the training; others are ignored.
        reasons
            Number of reasons per row, from 1 to 20.
        scored_at
            Instant in ISO 8601 for the column ``scored_at``; None for the present.

        Returns
        -------
        frame
            Of the same library as ``leads``: ``lead_id``, ``as_of`` if ``leads`` has it, ``target``, ``probability,
            probability_low, probability_high, score`` (100 times the probability), ``stage, stage_source,
            previous_stage, advised_stage, drop`` (whether it is below the cut of dropped leads), ``fit, engagement``
            (points of both groups), ``grade, starting_point, reason_1, reason_1_points, ..., everything_else,
            model_version, batch_id, scored_at``. A frame has no history, so the stage is that of the cuts alone and
            nothing is known of the one before; `Project.score` knows more. The starting point, the points of the
            reasons and everything else, rounded to tenths, add up to the rounded score; `explain` gives all of them
            unrounded. The rows that `refused` returns are left out, and a warning says how many.

        Raises
        ------
        DataError
            If a column is missing.
        LeadmlError
            If ``reasons`` or ``scored_at`` is not valid.

        Examples
        --------
        >>> scored = model.score(leads.head(2), reasons=1)
        >>> scored["lead_id"].tolist(), set(scored["stage"]) <= {"LEAD", "IQL", "MQL", "SQL"}
        (['0', '1'], True)
        >>> shown = scored["starting_point"] + scored["reason_1_points"] + scored["everything_else"]
        >>> bool((shown - scored["score"].round(1)).abs().max() < 0.01)
        True
        """
        whole_number(reasons, "reasons", low=1, high=MAX_REASONS)
        if scored_at is not None:
            to_instant(str(scored_at), timezone="UTC", name="scored_at")
        with self._open(leads) as source:
            name = batch_id(source, self.manifest.model_hash, self.scored_version)
            instant = scored_at or datetime.now(UTC).isoformat(timespec="seconds")
            batch = Batch(name, self.scored_version, instant, reasons, source.stamp)
            parts = [scored_rows(self.bundle, chunk.frame, batch)[0] for chunk in source.chunks()]
            scored = pd.concat(parts, ignore_index=True)
            if refused := source.rows - len(scored):
                message = f"{refused:,} of {source.rows:,} rows have no score; Model.refused tells why"
                warnings.warn(message, stacklevel=2)
        return like(leads, scored)

    def refused(self, leads: Any) -> Any:
        """Return the rows that `score` refuses, with the reason: ``where, lead_id, column, reason``.

        ``where`` is the number of the row, the first of which is 1: ``frame:1``.

        Parameters
        ----------
        leads
            As for `score`.

        Examples
        --------
        >>> faulty = leads.head(2).astype(object)
        >>> faulty.loc[1, "age"] = "old"
        >>> model.refused(faulty)[["where", "lead_id", "column"]].to_dict("records")
        [{'where': 'frame:2', 'lead_id': '1', 'column': 'age'}]
        """
        with self._open(leads) as source:
            faults = [fault for chunk in source.chunks() for fault in chunk.faults]
        return like(leads, refused_rows(faults))

    def explain(self, leads: Any) -> Any:
        """Return every contribution to each score: ``lead_id, field, group, value, log_odds, points``.

        Parameters
        ----------
        leads
            As for `score`.

        Returns
        -------
        frame
            Of the same library as ``leads``: one row per lead and field, and one per lead for the starting point. The
            points of a lead add up to 100 times its probability.

        Examples
        --------
        >>> points = model.explain(leads.head(1))["points"].sum()
        >>> bool(abs(points - model.score(leads.head(1))["score"][0]) < 1e-9)
        True
        """
        model = self.bundle.model
        with self._open(leads) as source:
            frames = [chunk.frame for chunk in source.chunks()]
        tables = [contribution_table(frame, explain_leads(model, model.encoder.fields_of(frame))) for frame in frames]
        return like(leads, pd.concat(tables, ignore_index=True))

    def _open(self, leads: Any) -> AbstractContextManager[LeadsAsOf]:
        return frame_source(self.bundle.leads, leads).at(None, progress=lambda _: None, rows=FRAME_CHUNK_ROWS)

    def __repr__(self) -> str:
        """Return target, version, number of fields and ROC AUC in one line."""
        auc = self.evaluation.metric("roc_auc")["value"]
        return f"<leadml model of {self.target}, version {self.version}, {len(self.fields)} fields, ROC AUC {auc:.3f}>"

    def _repr_html_(self) -> str:
        """Return the model in one line and its most important fields, for notebooks."""
        fields = self.importance.head(REASONS)[["field", "group", "value"]].rename(columns={"value": "mean points"})
        return f"<p>{escape(repr(self)[1:-1])}; most important fields:</p>{fields.round(2).to_html(index=False)}"


def load(path: str | Path, *, threads: int = 0) -> Model:
    """Return the model of a folder, after the hash of every file was checked, with the cuts that were saved last.

    Parameters
    ----------
    path
        The folder of a target (``models/subscribed``), whose champion is loaded, or the folder of a version.
    threads
        Number of threads that predict, from 0 to 1,024; 0 for all. It changes no score.

    Raises
    ------
    BundleError
        If the folder has no model, or a file was changed.

    Examples
    --------
    >>> load(model.folder).fields == model.fields
    True
    """
    folder = file_path(path, "path")
    whole_number(threads, "threads", low=0, high=MAX_THREADS)
    in_use = champion_folder(folder)
    if in_use is not None:
        folder = in_use
    elif not (folder / MANIFEST).is_file():
        raise BundleError(_no_model(folder))
    bundle, manifest = load_bundle(folder, threads=threads)
    saved = newest_saved(folder.resolve(), manifest.model_hash)
    if saved is None:
        return Model(bundle, manifest, folder.resolve())
    stages = saved.applied_to(bundle.stages)
    bundle = replace(bundle, stages=stages, profile=bundle.profile.with_cuts(stages.cuts, bundle.candidates))
    return Model(bundle, manifest, folder.resolve(), saved.number)


def _no_model(folder: Path) -> str:
    """Return the message for a folder that is neither that of a target nor that of a version."""
    near = folder if folder.is_dir() else folder.parent
    inner = sorted(near.iterdir()) if near.is_dir() else []
    models = [inert(each.name) for each in inner if (each / CHAMPION).is_file() or (each / MANIFEST).is_file()]
    got = "one without a model" if folder.is_dir() else "none of this name"
    hint = f"{near} has {', '.join(models)}" if models else "train a model, or name another folder"
    return f"{folder}: must be the folder of a target or of a version, got {got}; {hint}"
