"""One try of a piece of advice: a project that shows it, what a reader does who knows only it, and what comes then."""

from __future__ import annotations

import shutil
import sys
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from advice_stream import FIRST_DAYS, PARAMS, STREAM, bring_outcomes
from measure import ROOT
from typer.testing import CliRunner

from leadml.cli import app
from leadml.errors import LeadmlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WIDE = "100000"  # characters of a line, so that no table breaks one
TRAIN = {"crm": "leadml train --target sql --set limits.allow_small=true"}
REFUSED = (1, 2)  # exit codes of a command that did not do its work: its own, and of words that it does not know


@dataclass
class Attempt:
    """A project in a folder of its own, and what was done in it because the advice says so.

    Parameters
    ----------
    folder
        The folder of the project, which is the working folder while a case runs.
    followed
        Words of the advice that were followed: keys, options, commands, or a few of its words.
    output
        What the last step printed or raised.
    refused
        Whether the last step did not do its work.
    """

    folder: Path
    followed: list[str] = field(default_factory=list)
    output: str = ""
    refused: bool = False

    def do(self, step: Any) -> str:
        """Run a command line, or a function of the package; return and keep what a person would read."""
        if callable(step):
            try:
                shown, self.refused = str(step()), False
            except LeadmlError as error:
                shown, self.refused = str(error), True
            self.output = " ".join(shown.split())
            return self.output
        words = step if isinstance(step, list) else step.split()
        with chdir(self.folder):
            result = CliRunner(env={"COLUMNS": WIDE}).invoke(app, words[1:])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.output, self.refused = " ".join(result.output.split()), result.exit_code in REFUSED
        return self.output

    def params(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Prepare params.yaml; this is not yet what the advice says."""
        file = self.folder / "params.yaml"
        chosen = yaml.safe_load(file.read_text(encoding="utf-8"))
        change(chosen)
        file.write_text(yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def prepare(self, key: str, value: Any) -> None:
        """Set a key of params.yaml before the advice is shown."""
        self.params(lambda chosen: _set(chosen, key.split("."), value))

    def set(self, key: str, value: Any) -> None:
        """Set a key of params.yaml because the advice names it."""
        self.follow(key)
        self.prepare(key, value)

    def follow(self, words: str) -> None:
        """Say which words of the advice are followed next; they must have been shown."""
        self.followed.append(words)

    @contextmanager
    def without(self, library: str) -> Iterator[None]:
        """Let a library be missing in the block."""
        absent: Any = {library: None}
        before = sys.modules.get(library)
        sys.modules.update(absent)
        try:
            yield
        finally:  # what else was imported meanwhile stays: some of it cannot be imported twice
            del sys.modules[library]
            if before is not None:
                sys.modules[library] = before


def start_from(name: str, folder: Path, bases: Path) -> Attempt:
    """Return an attempt in a copy of a base, which is made when it is first asked for.

    Parameters
    ----------
    name
        ``nothing``, an empty folder; ``bank``, the bundled leads and their params, MLflow off; ``crm``, a simulated CRM
        of 1,500 leads with its params; ``stream``, the first 80 days of a simulated stream (`advice_stream`);
        ``trained bank``, ``trained crm`` and ``trained stream``, with a version in use.
    folder
        Where the copy goes.
    bases
        Folder of the bases.
    """
    if name == "nothing":
        folder.mkdir()
        return Attempt(folder)
    base = bases / name.replace(" ", "_")
    if not base.exists():
        half = bases / f"{base.name}.part"
        shutil.rmtree(half, ignore_errors=True)
        _make(name, half, bases)
        with suppress(OSError):  # another process has made it
            half.rename(base)
    shutil.copytree(base, folder)
    return Attempt(folder)


def _make(name: str, folder: Path, bases: Path) -> None:
    if name.startswith("trained "):
        kind = name.removeprefix("trained ")
        trained = start_from(kind, folder, bases)
        said = trained.do(TRAIN.get(kind, "leadml train"))
        if trained.refused:
            raise RuntimeError(said)
        return
    folder.mkdir(parents=True)
    attempt = Attempt(folder)
    if name == "bank":
        (folder / "data" / "raw").mkdir(parents=True)
        shutil.copy(ROOT / "data" / "raw" / "bank.csv", folder / "data" / "raw")
        shutil.copy(ROOT / "params.yaml", folder)
    elif name == "stream":
        attempt.do(STREAM)
        bring_outcomes(folder, FIRST_DAYS)
        (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False), encoding="utf-8")
    else:
        attempt.do("leadml simulate crm data --leads 1500 --months 14 --seed 1")
        shutil.copy(ROOT / "examples" / "crm" / "params.yaml", folder)
        attempt.prepare("stages.sql", {"rule": "share", "top": 0.1})  # 1,500 leads are too few for its precision
    attempt.prepare("tracking.enabled", value=False)


def _set(chosen: dict[str, Any], path: list[str], value: Any) -> None:
    *sections, last = path
    for section in sections:
        if not isinstance(chosen.get(section), dict):
            chosen[section] = {}
        chosen = chosen[section]
    chosen[last] = value
