"""The status of a project: the version in use, its training, its cuts and the last batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.dated import crm, write_params
from tests.stores import NOW, silent, write_batch

from leadml.bundle.saved_cuts import SavedCuts, saved_folder, saved_text
from leadml.errors import BundleError
from leadml.jobs.places import Places
from leadml.jobs.status import describe, describe_all, registered_alias
from leadml.jobs.train import Trained
from leadml.publish.registry import Registry
from leadml.publish.store.opening import writing_alone


def test_a_status_describes_version_training_cuts_and_batch(
    trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """The last batch is in the status after it was recorded."""
    project, trained = trained_project
    copy = replace(project, root=tmp_path)
    copy.registry.add(trained.model.bundle)
    copy.registry.promote("1", instead_of=None)
    before = dict(describe(copy))
    with writing_alone(copy.store_url, silent) as store:
        stages = dict.fromkeys("abcdefghi", "MQL")
        write_batch(store, tmp_path, "b", stages, now="2026-01-02T00:00:00+00:00", target="subscribed")
    cuts = (replace(trained.model.bundle.stages.cuts[1], probability=0.25, rule="saved"),)
    saved_folder(copy.registry.path("1")).mkdir()
    text = saved_text(SavedCuts(1, cuts, None, NOW), trained.model.manifest.model_hash)
    (saved_folder(copy.registry.path("1")) / "1.json").write_text(text, encoding="utf-8")
    after = dict(describe(copy))

    assert before["last batch"] == "none yet"
    assert before["in use"] == "version 1 of 1"
    assert before["model hash"] == trained.model.manifest.model_hash
    assert [name for name in before if name.endswith("begins at")] == [
        f"{stage} begins at" for stage in trained.model.cuts
    ]
    assert [after[name] for name in after if name.endswith("begins at")] == ["0.2500 (saved)"]
    assert (after["last batch"], after["not scored"]) == ("9 leads at 2026-01-02T00:00:00+00:00 by version 1", "0")


def test_one_of_several_targets_may_have_no_version(tmp_path: Path) -> None:
    """The status says how to train it; of a single target it is an error."""
    path = write_params(tmp_path, crm())
    projects = [Places.open(path, target=name) for name in ("mql", "sql")]

    assert [dict(rows)["in use"] for rows in describe_all(projects)] == [
        "none yet: leadml train --target mql",
        "none yet: leadml train --target sql",
    ]
    assert projects[0].registry == Registry(tmp_path / "models" / "mql")
    with pytest.raises(BundleError, match="must have a version in use, got none"):
        describe_all(projects[:1])


def test_a_store_that_cannot_be_opened_has_no_alias(tmp_path: Path) -> None:
    """For example because no disk takes its name."""
    assert registered_alias(tmp_path / ("a" * 300), "t") is None
