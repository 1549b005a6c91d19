"""Say what is in use.

What enters is a project; what leaves is lines of names and values.
It reads manifests and the list of batches, and MLflow's database only as a file, so that it answers at once.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from leadml.bundle.model import CHAMPION
from leadml.bundle.storage import read_manifest

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
    """Return what the champion is, on what it was trained, its cuts, and what was scored last.

    Raises
    ------
    BundleError
        Where no version is in use or its manifest is damaged.
    """
    registry = project.registry
    manifest, batch = read_manifest(registry.champion_path()), registry.last_batch()
    record = manifest.record
    learned = record.split.learn
    rows = [
        ("target", manifest.target),
        ("in use", f"version {registry.champion()} of {len(registry.versions())}"),
        ("trained", f"{record.trained_at} on {record.data.source}"),
        (
            "learned from",
            f"{learned.rows:,} {record.unit}, {learned.conversions:,} converted",
        ),
        *((f"{cut.stage} begins at", f"{cut.probability:.4f} ({cut.rule})") for cut in manifest.cuts),
        ("model hash", manifest.model_hash),
        (
            "scored last",
            "nothing yet"
            if batch is None
            else f"{batch.scored:,} leads at {batch.scored_at} by version {batch.version}",
        ),
    ]
    if batch is not None:
        rows.append(("not scored", f"{batch.not_scored:,}"))
    alias = registered_alias(project.store, project.target)
    if alias is not None and alias != registry.champion():
        rows.append(
            ("look", f"MLflow's alias {CHAMPION} names version {alias}, the pointer names {registry.champion()}")
        )
    return rows


def describe_all(projects: Sequence[Places]) -> list[list[tuple[str, str]]]:
    """Return what `describe` says of each target of a project; of several, one may have no version yet."""
    told = []
    for project in projects:
        if len(projects) > 1 and not project.registry.versions():
            told.append([("target", project.target), ("in use", f"none yet: leadml train --target {project.target}")])
        else:
            told.append(describe(project))
    return told


def registered_alias(store: Path, target: str) -> str | None:
    """Return the version that MLflow's alias names, or None where there is no store or no alias."""
    if not store.is_file():
        return None
    connection = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
    try:
        found = connection.execute(ALIAS, (target, CHAMPION)).fetchone()
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return str(found[0]) if found else None
