"""What MLflow imports to load a registered version: a bundle is verified and loaded as leadml loads any other.

An MLflow model of leadml names this module and holds no code. The module does not need MLflow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leadml.bundle.model import load

if TYPE_CHECKING:
    from leadml.bundle.model import Model


def _load_pyfunc(path: str) -> Model:
    """Return the model of a bundle's folder; MLflow predicts by calling its method ``score``.

    Raises
    ------
    BundleError
        If a byte was changed.
    """
    return load(Path(path))
