"""Kill promotions and rollbacks, let two run at once, and see what is in use: the subject `promote` of kills.py."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from kills_child import in_child, read_from, write_to
from measure import ROOT

from leadml import LeadmlError
from leadml.bundle.model import load
from leadml.bundle.storage import KEPT_MODELS, read_model
from leadml.jobs.project import Project, open_project
from leadml.jobs.status import registered_alias
from leadml.publish.tracking import SETTINGS

if TYPE_CHECKING:
    from random import Random
    from types import FrameType

LEADS = ROOT / "data" / "raw" / "bank.csv"
CHOICES = ["evaluation.draws=50", "model.threads=1", "model.max_rounds=20"]
SHARES = [f"stages.{stage}={{rule: share, top: {top}}}" for stage, top in (("mql", 0.2), ("sql", 0.1))]
WRITING = str(Path("leadml", "publish"))
VERSIONS, SCORES, RACES = 3, 10_000, 10


@dataclass
class PromoteTrial:
    """Versions of a project that are put in use and taken back by processes that are killed.

    Parameters
    ----------
    folder
        The folder of the project.
    random
        Draws what is done, and moments.
    """

    folder: Path
    random: Random

    def run(self, kills: int) -> dict[str, Any]:
        """Return how many kills there were and how many left something wrong, and the figures of whole rollbacks."""
        self.train()
        in_child(lambda: write_to(self.folder, "measured", self.measured()))
        found = read_from(self.folder, "measured")
        killed = done = 0
        faults: list[str] = []
        while killed < kills:
            event = self.random.randrange(found["events"]) if killed % 2 else None
            seconds = None if event is not None else self.random.uniform(0, found["seconds"])
            wanted = self.random.choice(["rollback", *map(str, range(1, VERSIONS + 1))])
            is_whole = in_child(lambda wanted=wanted, event=event: self.change(wanted, kill_at=event), seconds=seconds)
            killed, done = killed + (not is_whole), done + is_whole
            in_child(lambda: write_to(self.folder, "faults", self.faults()))
            faults += [f"kill {killed} of {wanted}: {fault}" for fault in read_from(self.folder, "faults")]
        print(f"promote: {killed} kills, {done} jobs ended before, {len(faults)} broken")
        print("".join(f"promote: {line}\n" for line in faults), end="")
        one_winner = sum(self.race() for _ in range(RACES))
        same = {"rollback_seconds": found["rollback_seconds"], "same_scores": found["same_scores"], "scores": SCORES}
        return {"kills": killed, "broken": len(faults), "races": RACES, "one_winner": one_winner, **same}

    def train(self) -> None:
        """Make the project with its versions, all in MLflow."""
        (self.folder / "data" / "raw").mkdir(parents=True)
        shutil.copy(LEADS, self.folder / "data" / "raw")
        shutil.copy(ROOT / "params.yaml", self.folder)
        for seed in range(VERSIONS):
            choices = [*CHOICES, *SHARES, f"split.seed={seed}"]
            in_child(lambda choices=choices: open_project(self.folder, overrides=choices).train())
        os.environ.update(SETTINGS)
        import mlflow.tracking  # noqa: F401 - here once, and not in each child, and so are the versions loaded

        for version in self.project().places.registry.versions()[-KEPT_MODELS:]:
            load(self.project().places.registry.path(version))

    def project(self) -> Project:
        """Return the project."""
        return open_project(self.folder, overrides=[*CHOICES, *SHARES])

    def change(self, wanted: str, *, kill_at: int | None = None) -> int:
        """Put a version in use, or the one before; end the process at some begin or end of a function."""
        events = 0

        def count(frame: FrameType, event: str, _: Any) -> None:
            nonlocal events
            if event in {"call", "return"} and WRITING in frame.f_code.co_filename:
                if events == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                events += 1

        project = self.project()
        sys.setprofile(count)
        try:
            if wanted == "rollback":
                project.rollback(reason="a trial")
            else:
                project.promote(wanted, reason="a trial", ungated=True)
        except LeadmlError as error:  # it is in use already, or none was in use before
            if "in use" not in str(error):
                raise
        finally:
            sys.setprofile(None)
        return events

    def measured(self) -> dict[str, Any]:
        """Return the moments to kill a job at, and how long a whole rollback takes and what it gives back."""
        project = self.project()
        before, leads = project.model("1"), pd.read_csv(LEADS).sample(SCORES, replace=True, random_state=0)
        leads["id"] = [f"L{number}" for number in range(SCORES)]
        said = before.score(leads)["probability"].to_numpy()
        begin = time.perf_counter()
        events = self.change("2")
        seconds = time.perf_counter() - begin
        read_model.cache_clear()  # as in a process that has loaded nothing
        begin = time.perf_counter()
        project.rollback(reason="a trial")
        rollback = time.perf_counter() - begin
        again = project.model().score(leads)["probability"].to_numpy()
        same = int((said == again).sum()) if np.array_equal(said, again) else 0
        return {"events": events, "seconds": seconds, "rollback_seconds": rollback, "same_scores": same}

    def faults(self) -> list[str]:
        """Return what is wrong after the next start."""
        project = self.project()
        registry, found = project.places.registry, []
        try:
            project.status()  # moves an alias that waits
            model = load(registry.champion_path())
        except LeadmlError as error:
            return [f"no version can be used: {error}"]
        alias = registered_alias(project.places.tracking_store, project.target)
        if alias != model.version:
            found.append(f"MLflow's alias names {alias}, and {model.version} is in use")
        if left := [path.name for path in registry.folder.iterdir() if path.name.startswith((".tmp", "champion."))]:
            found.append(f"pieces are left: {left}")
        return found

    def race(self) -> bool:
        """Return whether of two promotions at once one wins, the other is told, and the winner is in use."""
        champion = self.project().places.registry.champion()
        others = [str(number) for number in range(1, VERSIONS + 1) if str(number) != champion]
        children = []
        for version in others:
            child = os.fork()
            if child == 0:
                code = 2
                try:
                    self.project().promote(version, reason="a race", ungated=True)
                    code = 0
                except LeadmlError:
                    code = 1
                finally:
                    os._exit(code)
            children.append(child)
        codes = [os.WEXITSTATUS(os.waitpid(child, 0)[1]) for child in children]
        winners = [version for version, code in zip(others, codes, strict=True) if code == 0]
        in_use = self.project().places.registry.champion()
        # Where one begins after the other has ended, both win, one after the other, and the later one is in use.
        return set(codes) <= {0, 1} and in_use in winners
