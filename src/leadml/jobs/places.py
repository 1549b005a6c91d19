"""The choices of a project and the files and folders that they name.

Paths in ``params.yaml`` are relative to the folder of ``params.yaml``, not to the working folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.errors import ParamsError, nearest, quoted
from leadml.leads.read.table_source import resolve_address
from leadml.leads.sources.source import declared_file, declared_tables
from leadml.params import load_params
from leadml.publish.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from leadml.params import Params


@dataclass(frozen=True)
class Places:
    """Choices and paths of one project, for one of its targets.

    Parameters
    ----------
    root
        The folder of ``params.yaml``.
    params
        The choices.
    target
        The name of the target.
    """

    root: Path
    params: Params
    target: str

    @classmethod
    def open(cls, path: Path, overrides: Sequence[str] = (), *, target: str | None = None) -> Places:
        """Return the places of a ``params.yaml``, with some of its choices overridden.

        Raises
        ------
        ParamsError
            If the target is not declared, or if there are several and none is given.
        """
        params = load_params(path, overrides)
        names = params.target_names
        if target is None and len(names) > 1:
            msg = f"target (--target) must name one of the targets {', '.join(names)}, got none"
            raise ParamsError(msg)
        if target is not None and target not in names:
            hint = nearest(str(target), names)
            msg = f"target (--target) must be one of {', '.join(names)}, got {quoted(target)}{hint}"
            raise ParamsError(msg)
        return cls(path.parent, params, target or names[0])

    @property
    def data(self) -> Path | None:
        """The file of flat leads that params name, or None."""
        return declared_file(self)

    @property
    def sources(self) -> list[Path]:
        """The files and folders of dated leads that params name."""
        return declared_tables(self)

    @property
    def registry(self) -> Registry:
        """The stored versions of the target."""
        return Registry(self.root / self.params.output.models / self.target)

    @property
    def database(self) -> tuple[str, str] | None:
        """Address (with secrets resolved) and table for scores; None if params name no database."""
        output = self.params.output
        return (resolve_address(output.database, self.root), output.table) if output.database is not None else None

    @property
    def store_url(self) -> str | None:
        """Address of the store, with secrets resolved; None if params name no store."""
        store = self.params.store
        return None if store is None else resolve_address(store.url, self.root)

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.root / self.params.output.reports

    @property
    def tracking_store(self) -> Path:
        """MLflow's SQLite file."""
        return self.root / self.params.tracking.store
