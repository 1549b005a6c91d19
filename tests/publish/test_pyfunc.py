"""What MLflow loads is the version itself, and only if no byte was changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.dated import NOW

from leadml.bundle.model import load
from leadml.errors import BundleError
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.publish.pyfunc import _load_pyfunc


def test_the_version_scores_as_leadml_does(trained_project: tuple[Places, Trained]) -> None:
    """To the bit."""
    folder = trained_project[0].registry.path("1")
    leads = pd.read_csv(trained_project[0].data).head(50)
    loaded, expected = (model.score(leads, scored_at=NOW) for model in (_load_pyfunc(str(folder)), load(folder)))

    pd.testing.assert_frame_equal(loaded, expected, check_exact=True)


def test_a_version_that_was_changed_is_refused(trained_project: tuple[Places, Trained], tmp_path: Path) -> None:
    """Its hashes are verified as on any other way."""
    shutil.copytree(trained_project[0].registry.path("1"), tmp_path / "copy")
    file = next(path for path in (tmp_path / "copy").iterdir() if path.suffix == ".txt")
    file.write_bytes(file.read_bytes() + b" ")

    with pytest.raises(BundleError):
        _load_pyfunc(str(tmp_path / "copy"))
