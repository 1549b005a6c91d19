"""The names that examples in docstrings use without making them: a project on the bundled leads and its model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from leadml.jobs.project import Project

ROOT = Path(__file__).parent
WITH_A_PROJECT = {
    "leadml.bundle.model",
    "leadml.jobs.judged_version",
    "leadml.jobs.lead_records",
    "leadml.jobs.project",
}
QUICK = ["tracking.enabled=false", "model.max_rounds=20", "evaluation.draws=50"]


@pytest.fixture(scope="session")
def example_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with one version, trained on the bundled leads in seconds."""
    import leadml  # noqa: PLC0415 - only examples need it

    folder = tmp_path_factory.mktemp("example")
    (folder / "data" / "raw").mkdir(parents=True)
    shutil.copy(ROOT / "data" / "raw" / "bank.csv", folder / "data" / "raw")
    shutil.copy(ROOT / "params.yaml", folder)
    project = leadml.open_project(folder, overrides=QUICK)
    project.train()
    return project


@pytest.fixture(autouse=True)
def _names_of_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    """Give examples of the library's faces ``project``, ``model`` and ``leads``."""
    if getattr(request.node, "dtest", None) is None or request.node.dtest.globs["__name__"] not in WITH_A_PROJECT:
        return
    import pandas as pd  # noqa: PLC0415 - only examples need it

    project = request.getfixturevalue("example_project")
    doctest_namespace |= {"project": project, "model": project.model(), "leads": pd.read_csv(project.places.data)}
