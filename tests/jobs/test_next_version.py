"""The part of a project that puts another version in use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.reviews import let_outcomes_in, stream

from leadml.errors import LeadmlError
from leadml.jobs.next_version import NextVersion
from leadml.jobs.places import Places
from leadml.jobs.project import Project


def test_a_refresh_is_judged_and_put_in_use(flat_version: Path, tmp_path: Path) -> None:
    """And the version before is back by one call."""
    root = shutil.copytree(flat_version, tmp_path / "project")
    project = Project(Places.open(root / "params.yaml"))
    let_outcomes_in(project.places, stream().days(40, seed=5))
    newer = project.train().model.version
    assert isinstance(project, NextVersion)
    assert project.gate(newer).answer == "not worse"
    assert project.promote(int(newer), by="Ann").before == "1"
    assert project.model().version == newer
    assert project.rollback(reason="a trial").version == "1"
    with pytest.raises(LeadmlError, match="version must be a stored one, got '3'; there are 2"):
        project.gate(3)
