"""What tests of commands share: a way to run one, and the options that name the trained project."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from leadml.cli import app
from leadml.jobs.places import Places
from leadml.jobs.train import Trained


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Return a function that runs the command line and returns what it prints, after its exit code was checked."""

    def _run(*words: object, code: int = 0) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == code, result.output
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return _run


@pytest.fixture(scope="session")
def params(trained_project: tuple[Places, Trained]) -> list[str]:
    """Return the options that name the trained project."""
    return ["--params", str(trained_project[0].root / "params.yaml")]
