"""A project: its params and the places they name.

What enters is the path of a ``params.yaml``; what leaves is its choices and its folders.
Places in params are relative to the file that names them, never to where somebody stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.params import load_params
from leadml.publish.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from leadml.params import Params

    Progress = Callable[[str], None]


@dataclass(frozen=True)
class Project:
    """Choices and places of one project.

    Parameters
    ----------
    root
        The folder of ``params.yaml``.
    params
        The choices.
    """

    root: Path
    params: Params

    @classmethod
    def open(cls, path: Path, overrides: Sequence[str] = ()) -> Project:
        """Return the project of a ``params.yaml`` and the overrides of the command line."""
        return cls(path.parent, load_params(path, overrides))

    @property
    def data(self) -> Path:
        """The leads to learn from."""
        return self.root / self.params.data.path

    @property
    def registry(self) -> Registry:
        """The versions of the target."""
        return Registry(self.root / self.params.output.models / self.params.target.name)

    @property
    def reports(self) -> Path:
        """Where reports are written."""
        return self.root / self.params.output.reports

    @property
    def store(self) -> Path:
        """MLflow's SQLite file."""
        return self.root / self.params.tracking.store
