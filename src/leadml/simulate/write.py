"""Write a simulated CRM to a folder: dated tables, the truth beside them, and every number behind them.

What enters is a folder, a size, a seed and a `Scenario`; what leaves is Parquet files and ``simulation.json``, the same
bytes for the same choices whatever the number of processes.
It refuses a folder that holds anything, and holds no more than a chunk of leads at a time in each process.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadml.errors import LeadmlError, quoted
from leadml.simulate.crm_tables import (
    TRUTH,
    act_seconds,
    activities_table,
    leads_table,
    outcomes_table,
    truth_table,
)
from leadml.simulate.description import account
from leadml.simulate.paths import live
from leadml.simulate.people import draw_people
from leadml.simulate.scenario import Scenario, world_of
from leadml.simulate.truth import Reaches, all_reaches, truths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from leadml.simulate.world import World

CHUNK = 25_000
BATCH = 2_000
MOST_LEADS = 20_000_000
TABLES = ("leads", "activities", "outcomes", "truth")
STREAMS = ("people", "life", "hours", "activities", "outcomes", "truth")


@dataclass(frozen=True)
class Simulated:
    """What was written: the folder, and the rows of each table (``leads`` counts states of leads)."""

    folder: Path
    leads: int
    activities: int
    outcomes: int
    truth: int


@dataclass(frozen=True)
class _Task:
    """One chunk: where it goes, what it is made of."""

    folder: Path
    world: World
    reaches: Reaches | None
    seed: int
    chunk: int
    first: int
    leads: int
    truth_share: float


def simulate(
    folder: Path, *, leads: int, months: int, seed: int, scenario: Scenario | None = None, processes: int = 1
) -> Simulated:
    """Write a simulated CRM: ``simulation.json`` comes last, so that a folder without it is not whole.

    Parameters
    ----------
    folder
        Made where it is not there; must be empty.
    leads
        Number of leads.
    months
        Length, from January 2024.
    seed
        0 or more. The same seed and the same other choices give the same bytes.
    scenario
        What happens beside the usual; nothing by default.
    processes
        How many chunks of 25,000 leads are made at the same time; the bytes do not depend on it.

    Raises
    ------
    LeadmlError
        Where the folder is not empty, or a number is out of its range.
    """
    scenario = scenario or Scenario()
    _check(folder, leads=leads, seed=seed, processes=processes)
    world = world_of(scenario, leads=leads, months=months)
    share = min(1.0, scenario.truth_leads / leads)
    reaches = all_reaches(world) if share else None
    for part in ("activities", "truth") if share else ("activities",):
        (folder / part).mkdir(parents=True, exist_ok=True)
    tasks = [
        _Task(folder, world, reaches, seed, chunk, first, min(CHUNK, leads - first), share)
        for chunk, first in enumerate(range(0, leads, CHUNK))
    ]
    written = np.zeros(4, dtype=np.int64)
    with ExitStack() as stack:
        files = {}
        for people, moves, rows in _made(tasks, processes):
            for name, table in (("leads", people), ("outcomes", moves)):
                if name not in files:
                    file = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
                    files[name] = stack.enter_context(file)
                files[name].write_table(table)
            written += (len(people), rows[0], len(moves), rows[1])
    simulated = Simulated(folder, *written.tolist())
    choices = {"leads": leads, "months": months, "seed": seed, **asdict(scenario), "truth_share": share}
    story = account(world, choices, rows={name: int(rows) for name, rows in zip(TABLES, written, strict=True)})
    (folder / "simulation.json").write_text(json.dumps(story, indent=1) + "\n", encoding="utf-8")
    return simulated


def _check(folder: Path, *, leads: int, seed: int, processes: int) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"the folder of a simulation must be new or empty, got {quoted(folder)}; name another or empty it"
        raise LeadmlError(msg)
    if not 1 <= leads <= MOST_LEADS:
        msg = f"leads must be from 1 to {MOST_LEADS:,}, got {leads:,}; simulate fewer"
        raise LeadmlError(msg)
    if seed < 0:
        msg = f"seed must be 0 or more, got {seed}; give another"
        raise LeadmlError(msg)
    if processes < 1:
        msg = f"processes must be 1 or more, got {processes}; give 1 for this process alone"
        raise LeadmlError(msg)


def _made(tasks: list[_Task], processes: int) -> Iterator[tuple[pa.Table, pa.Table, tuple[int, int]]]:
    """Yield the chunks in their order, whatever the order in which they are made."""
    if processes == 1 or len(tasks) == 1:
        yield from map(_make, tasks)
        return
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_make, tasks)


def _make(task: _Task) -> tuple[pa.Table, pa.Table, tuple[int, int]]:
    """Write the activities and the truth of a chunk, return its leads and outcomes and the rows written."""
    streams = np.random.SeedSequence(task.seed, spawn_key=(task.chunk,)).spawn(len(STREAMS))
    rng = dict(zip(STREAMS, map(np.random.default_rng, streams), strict=True))
    world, first, part = task.world, task.first, f"part-{task.chunk:05d}.parquet"
    people = draw_people(world, task.leads, rng["people"])
    life = live(world, people, rng["life"])
    seconds = act_seconds(life, rng["hours"])
    activities = activities_table(world, people, life, seconds, first=first, rng=rng["activities"])
    pq.write_table(activities, task.folder / "activities" / part, compression="zstd")
    truth_rows = 0
    if task.reaches is not None:
        chosen = np.flatnonzero(rng["truth"].random(task.leads) < task.truth_share)
        with pq.ParquetWriter(task.folder / "truth" / part, TRUTH, compression="zstd") as file:
            for start in range(0, len(chosen), BATCH):
                found = truths(world, people, life, chosen[start : start + BATCH], task.reaches)
                file.write_table(truth_table(found, first=first))
                truth_rows += len(found.lead)
    outcomes = outcomes_table(world, people, life, first=first, rng=rng["outcomes"])
    return leads_table(people, life, seconds, first=first), outcomes, (len(activities), truth_rows)
