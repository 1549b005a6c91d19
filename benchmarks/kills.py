"""Kill jobs while they write, and see that nothing that they leave behind is wrong.

Subject `store`: jobs that score leads into one file and a store are killed (SIGKILL), half of them at a random instant,
half where a function of leadml.publish begins or ends, which includes the place between file and commit. The next job
scores the same leads or others. Then file and store must agree: each complete batch has the scores that the model
gives, once, no batch is unfinished, stages follow from the scores, the file has the SHA-256 of its batch, and a further
run of the batch leaves the same bytes and no new row. The leads are drawn from data/raw/bank.csv. PostgreSQL is started
as the tests start it; where it is not installed, only SQLite is judged.

Subject `promote`: promotions and rollbacks are killed in the same way (`kills_promote`). After the next start there
must be one version in use that can be loaded, and MLflow's alias must name it. A whole rollback is timed, and must give
the same scores as before; and two promotions run at once. With --only and --keep one of SQLite, PostgreSQL and promote
is added to the kept result.
Run with: python benchmarks/kills.py [--kills N] [--seed N] [--json] [--keep] [--recorded] [--only PART]
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa
from kills_child import in_child, read_from, write_to
from kills_promote import PromoteTrial
from measure import ROOT, finish, options

from leadml.jobs.project import Project, open_project
from leadml.publish.store import writer  # noqa: F401 - here once, and not in each child
from leadml.publish.store.opening import reading
from leadml.publish.store.tables import METADATA

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping
    from types import FrameType

LEADS = ROOT / "data" / "raw" / "bank.csv"
ROWS, CHUNK_ROWS = 400, 100
WRITING = str(Path("leadml", "publish"))
QUICK = ["model.threads=1", "model.max_rounds=20"]  # a small model: what is tested is how its scores are written
CHOICES = ["tracking.enabled=false", "evaluation.draws=50", f"score.chunk_rows={CHUNK_ROWS}", *QUICK]
STORE = "LEADML_STORE"  # the address has a password, so it is in the environment
OUT = "scored.csv"
KILLS_OF_STORE = 25
SQLITE, POSTGRES, PROMOTE = "SQLite", "PostgreSQL", "promote"
SAME = 0.5  # share of kills after which the same leads are scored, so that the batch is resumed or found complete


def main() -> None:
    """Kill jobs of each part, and print how many there were and how many left something wrong."""
    files = (LEADS, ROOT / "params.yaml")
    chosen = options(__doc__ or "", "kills", files, in_parts=True, kills=200, seed=0, only="")
    figures: dict[str, Any] = chosen.kept
    databases = figures.setdefault("databases", {})
    with TemporaryDirectory() as name:
        if chosen.only in {"", SQLITE}:
            stores = (f"sqlite:///{Path(name) / f'leadml_{number}.db'}" for number in count())
            databases[SQLITE] = store_figures(SQLITE, stores, chosen)
        if chosen.only in {"", POSTGRES} and (found := postgres_figures(chosen)):
            databases[POSTGRES] = found
        if chosen.only in {"", PROMOTE}:
            promotions = PromoteTrial(Path(name) / PROMOTE, random.Random(chosen.seed))  # noqa: S311 - no secret
            figures[PROMOTE] = promotions.run(chosen.kills)
    totals = {key: sum(each[key] for each in databases.values()) for key in ("kills", "broken")}
    figures["store"] = totals | {"databases": sorted(databases)}
    finish("kills", figures, chosen)


def postgres_figures(chosen: Namespace) -> dict[str, int] | None:
    """Return the figures of PostgreSQL; None where it is not installed."""
    sys.path.insert(0, str(ROOT))
    from tests.postgres import NoServerError, running_server

    try:
        with running_server() as server:
            return store_figures(POSTGRES, (server.new_database() for _ in count()), chosen)
    except NoServerError as error:
        print(f"PostgreSQL is not judged: {error}")
        return None


def store_figures(database: str, stores: Iterator[str], chosen: Namespace) -> dict[str, int]:
    """Return how many jobs were killed that write into a database, and how many left something wrong there.

    Parameters
    ----------
    database
        Its name, to be printed.
    stores
        Addresses of new stores: each takes a part of the kills, since judging one reads all of it.
    chosen
        The options.
    """
    draws = random.Random(chosen.seed)  # noqa: S311 - no secret
    kills, finished, faults = 0, 0, list[str]()
    with TemporaryDirectory() as name:
        folder = trained(Path(name))
        while kills < chosen.kills:
            os.environ[STORE] = next(stores)
            trial = Trial(folder, draws)
            faults += trial.run(min(KILLS_OF_STORE, chosen.kills - kills))
            kills, finished = kills + trial.kills, finished + trial.finished
    print(f"{database}: {kills} kills, {finished} jobs ended before, {len(faults)} broken")
    print("".join(f"{database}: {line}\n" for line in faults), end="", flush=True)
    return {"kills": kills, "broken": len(faults)}


def trained(folder: Path) -> Path:
    """Return the folder of a project with one version."""
    (folder / "data" / "raw").mkdir(parents=True)
    shutil.copy(LEADS, folder / "data" / "raw")
    shutil.copy(ROOT / "params.yaml", folder)
    in_child(lambda: open_project(folder, overrides=CHOICES).train())
    open_project(folder, overrides=CHOICES).model()  # loaded here once, and not in each child
    return folder


@dataclass
class Trial:
    """Jobs that score into one file and one store, and are killed.

    Parameters
    ----------
    folder
        The folder of the project.
    random
        Draws leads and moments.
    kills, finished
        How many jobs were killed, and how many ended before.
    """

    folder: Path
    random: random.Random
    kills: int = 0
    finished: int = 0

    def run(self, kills: int) -> list[str]:
        """Kill jobs until there were so many kills; return what was wrong after the jobs that followed."""
        faults: list[str] = []
        in_child(lambda: write_to(self.folder, "events", self.score("first")))
        events, begin = read_from(self.folder, "events"), time.perf_counter()
        in_child(lambda: self.score_only("first-others"))
        whole = time.perf_counter() - begin  # of a process that was just begun, as are those that are killed
        while self.kills < kills:
            name = f"leads-{self.kills + self.finished}"
            event = self.random.randrange(events) if self.kills % 2 else None
            seconds = None if event is not None else self.random.uniform(0, whole)
            job = partial(self.score_only, name) if event is None else partial(self.score, name, kill_at=event)
            if in_child(job, seconds=seconds):
                self.finished += 1
            else:
                self.kills += 1
            next_name = name if self.random.random() < SAME else f"{name}-others"
            in_child(lambda name=name, other=next_name: self.judge(name, other))
            faults += [f"kill {self.kills} of {name}: {fault}" for fault in read_from(self.folder, "faults")]
        return faults

    def project(self) -> Project:
        """Return the project."""
        return open_project(self.folder, overrides=[*CHOICES, f"store.url=${{{STORE}}}"])

    def score(self, name: str, *, kill_at: int | None = None) -> int:
        """Score leads; with a number, end the process at that begin or end of a function of leadml.publish.

        Return how many of them there are; counting takes longer than scoring.
        """
        events = 0

        def at_event(frame: FrameType, event: str, _: Any) -> None:
            nonlocal events
            if event in {"call", "return"} and WRITING in frame.f_code.co_filename:
                if events == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                events += 1

        sys.setprofile(at_event)
        self.score_only(name)
        sys.setprofile(None)
        return events

    def score_only(self, name: str) -> None:
        """Score leads, and count nothing."""
        leads(name).to_csv(self.folder / f"{name}.csv", index=False)
        self.project().score(self.folder / f"{name}.csv", out=self.folder / OUT)

    def judge(self, killed: str, name: str) -> None:
        """Score leads after a kill, and write what is wrong then."""
        self.score_only(name)
        before = self.stored()
        faults = [*stage_faults(before), *self.score_faults(before, {killed, name}), *self.file_faults(before)]
        first = self.sha256()
        self.score_only(name)
        after = self.stored()
        if self.sha256() != first:
            faults.append("a further run left other bytes")
        faults += [f"a further run changed {table}" for table in before if not before[table].equals(after[table])]
        write_to(self.folder, "faults", faults)

    def stored(self) -> dict[str, pd.DataFrame]:
        """Return the tables of the store."""
        tables = {}
        with reading(os.environ[STORE]) as store:
            assert store is not None  # noqa: S101 - a job has written
            for table in METADATA.sorted_tables:
                query = sa.select(table).order_by(*table.primary_key)
                rows = store.read(lambda connection, query=query: connection.execute(query).mappings().all())
                tables[table.name] = pd.DataFrame([dict(row) for row in rows], columns=[c.name for c in table.c])
        return tables

    def score_faults(self, stored: dict[str, pd.DataFrame], names: set[str]) -> Iterator[str]:
        """Yield where the batches of some leads are not what the model says of them, or are not complete."""
        batches, scores = stored["leadml_batches"], stored["leadml_scores"]
        if (batches["state"] != "complete").any():
            yield "a batch is not complete"
        if scores.groupby("batch").size().to_dict() != batches.set_index("batch")["scored"].to_dict():
            yield "a batch has other scores than it counts"
        project = self.project()
        model, kept = project.model(), 1 - project.places.params.stages.lifecycle.hysteresis
        for name in names:
            expected = model.score(leads(name)).sort_values("lead_id", ignore_index=True)
            number = batches.loc[batches["batch_id"] == expected["batch_id"][0], "batch"]
            found = scores[scores["batch"].isin(number)].sort_values("lead_id", ignore_index=True)
            if len(number):
                before = scores[scores["batch"] < number.iloc[0]].drop_duplicates("lead_id", keep="last")
                last = dict(zip(before["lead_id"], before["stage"], strict=True))
                rows = zip(expected["lead_id"], expected["stage"], expected["probability"], strict=True)
                expected["stage"] = [
                    held_stage(last.get(lead_id, "LEAD"), stage, probability, cuts=model.cuts, kept=kept)
                    for lead_id, stage, probability in rows
                ]
            columns = ["lead_id", "probability", "probability_low", "probability_high", "stage"]
            if len(number) and not found[columns].astype(object).equals(expected[columns].astype(object)):
                yield f"the scores of {name} are not those of the model"

    def file_faults(self, stored: dict[str, pd.DataFrame]) -> Iterator[str]:
        """Yield where the file is not that of the batch that it names, or pieces of other files are left."""
        batches = stored["leadml_batches"].set_index("batch_id")
        named = pd.read_csv(self.folder / OUT, usecols=["batch_id"], dtype=str)["batch_id"].unique().tolist()
        if len(named) != 1 or named[0] not in batches.index:
            yield f"the file is of the batches {named}"
        elif batches.loc[named[0], "sha256"] != self.sha256():
            yield "the file has not the SHA-256 of its batch"

    def sha256(self) -> str:
        """Return the hash of the file of the scores."""
        return hashlib.sha256((self.folder / OUT).read_bytes()).hexdigest()


def leads(name: str) -> pd.DataFrame:
    """Return some of the bundled leads under the ids of the same 400 people, drawn by a name."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return pd.read_csv(LEADS).sample(ROWS, random_state=seed).assign(id=[f"L{at}" for at in range(ROWS)])


def stage_faults(stored: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Yield where the stored changes of stages are not those that follow from the scores."""
    scores = stored["leadml_scores"].sort_values(["lead_id", "batch"])
    before = scores.groupby("lead_id")["stage"].shift().fillna("LEAD")
    expected = scores.loc[scores["stage"] != before, ["lead_id", "batch", "stage"]].to_numpy().tolist()
    changes = stored["leadml_stage_changes"].sort_values(["lead_id", "batch"])
    if changes[["lead_id", "batch", "stage"]].to_numpy().tolist() != expected:
        yield "the changes of stages do not follow from the scores"


def held_stage(before: str, fresh: str, probability: float, *, cuts: Mapping[str, float], kept: float) -> str:
    """Return the stage of a lead that had a stage before, which it keeps down to a part of its cut."""
    order = ["LEAD", *cuts]
    for stage in order[order.index(before) : order.index(fresh) : -1]:
        if probability >= kept * cuts[stage]:
            return stage
    return fresh


if __name__ == "__main__":
    main()
