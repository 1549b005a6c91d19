"""Notebooks run from top to bottom and hold no output in the repository."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_kept_clean(path: Path) -> None:
    """Every cell runs, something is shown and drawn, and what is committed has no output."""
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)

    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()

    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
    texts = "".join(output.get("text", "") for output in shown)
    assert "4,521 leads, 11.5% subscribed" in texts
    assert "duration" in texts


def test_there_is_a_notebook() -> None:
    """The test above runs at least once."""
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_needs_the_library_only(path: Path) -> None:
    """No cell imports a module of leadml by itself: what a notebook needs is what ``import leadml`` offers."""
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell["source"] for cell in notebook.cells if cell["cell_type"] == "code")

    assert "\nimport leadml\n" in code
    assert "from leadml" not in code
    assert "import leadml." not in code
