"""Describe the version in use, its cuts and the last batch that was scored.

The module is fast: it reads the manifest, the store and MLflow's SQLite file. Only where MLflow's alias names another
version than the champion's file does it load the model, to move the alias.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leadml.bundle.champion import CHAMPION
from leadml.bundle.model import load
from leadml.bundle.saved_cuts import newest_saved
from leadml.bundle.storage import read_manifest
from leadml.errors import LeadmlError
from leadml.jobs.keep import last_batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from leadml.jobs.places import Places

ALIAS = """
    select tags.value from registered_model_aliases as aliases
    join model_version_tags as tags on tags.name = aliases.name and tags.version = aliases.version
    where aliases.name = ? and aliases.alias = ? and tags.key = 'leadml.version'
"""


def describe(project: Places) -> list[tuple[str, str]]:
    """Return names and values that describe the champion, its training, its cuts and the last batch.

    Raises
    ------
    BundleError
        If no version is in use, or its manifest is damaged.
    """
    registry = project.registry
    manifest, batch = read_manifest(registry.champion_path()), last_batch(project)
    record = manifest.record
    saved = newest_saved(registry.champion_path(), manifest.model_hash)
    cuts = manifest.cuts if saved is None else saved.cuts
    fitted = record.split.learn
    rows = [
        ("target", manifest.target),
        ("in use", f"version {registry.champion()} of {len(registry.versions())}"),
        ("trained", f"{record.trained_at} on {record.data.source}"),
        ("fitted on", f"{fitted.rows:,} {record.unit}, {fitted.conversions:,} converted"),
        *((("fitted again on", f"{record.fitted_again:,} {record.unit}"),) if record.fitted_again else ()),
        *((f"{cut.stage} begins at", f"{cut.probability:.4f} ({cut.rule})") for cut in cuts),
        ("model hash", manifest.model_hash),
        (
            "last batch",
            "none yet" if batch is None else f"{batch.scored:,} leads at {batch.scored_at} by version {batch.version}",
        ),
    ]
    if batch is not None:
        rows.append(("not scored", f"{batch.not_scored:,}"))
    alias = registered_alias(project.tracking_store, project.target)
    if alias is not None and alias != registry.champion():
        named = f"MLflow's alias {CHAMPION} named version {alias}, but version {registry.champion()} is in use"
        rows.append(("warning", f"{named}: {_mended(project)}"))
    return rows


def _mended(project: Places) -> str:
    """Let MLflow's alias name the version in use, and return in words whether it does."""
    if not project.params.tracking.enabled or find_spec("mlflow") is None:
        return "switch tracking on to move it"
    from leadml.publish.tracking import put_in_use  # noqa: PLC0415 - MLflow takes seconds to import

    model = load(project.registry.champion_path())
    try:
        put_in_use(project.tracking_store, model, {"action": "mended", "version": model.version})
    except LeadmlError as error:
        return f"it waits ({error})"
    return "it was moved"


def describe_all(projects: Sequence[Places]) -> list[list[tuple[str, str]]]:
    """Return `describe` of each target; if there are several, a target may have no version yet."""
    descriptions = []
    for project in projects:
        if len(projects) > 1 and not project.registry.versions():
            descriptions.append(
                [("target", project.target), ("in use", f"none yet: leadml train --target {project.target}")]
            )
        else:
            descriptions.append(describe(project))
    return descriptions


def registered_alias(store: Path, target: str) -> str | None:
    """Return the version that MLflow's alias names, or None without an alias or a store that can be read."""
    try:
        if not store.is_file():
            return None
        with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute(ALIAS, (target, CHAMPION)).fetchone()
    except (sqlite3.DatabaseError, OSError):
        return None
    return str(row[0]) if row else None
