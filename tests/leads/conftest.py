"""What tests of leads share: a small contract and a way to write a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from leadml.leads.check.contract import Contract, Field, Label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Return a contract with an id, a number, a category and a label."""
    fields = (Field("age", "number", "fit"), Field("country", "category", "fit"))
    return Contract(fields, "id", label=Label("y", ("yes",), ("no",)))


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that writes a file into a folder of its own."""

    def _write(content: str | bytes, name: str = "leads.csv") -> Path:
        path = tmp_path_factory.mktemp("leads") / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write
