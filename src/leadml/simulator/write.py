"""Write a simulated CRM to a folder: the dated tables, the truth, and ``simulation.json`` with all numbers.

The bytes of the files depend on the options and the seed only, not on the number of processes. Each process holds one
chunk of leads in memory. A folder that is not empty is refused.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadml.arguments import file_path, whole_number
from leadml.errors import LeadmlError, quoted
from leadml.simulator.crm_tables import (
    TRUTH_SCHEMA,
    activities_table,
    leads_table,
    outcomes_table,
    sample_activity_seconds,
    truth_table,
)
from leadml.simulator.description import describe_simulation
from leadml.simulator.lead_attributes import sample_leads
from leadml.simulator.mail import MailOptions, add_mail
from leadml.simulator.paths import simulate_paths
from leadml.simulator.scenario import Scenario, build_world
from leadml.simulator.truth import HittingProbabilities, target_probabilities, weekly_hitting_probabilities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from leadml.simulator.world import World

# Each chunk has random numbers and accounts of its own, so another size gives other leads; memory is that of one.
CHUNK_SIZE = 25_000
TRUTH_BATCH_SIZE = 2_000  # changes no number, only memory: 24 months of daily numbers of a batch are 12 MB
MOST_LEADS = 20_000_000  # fewer than the eight digits of an id can count
MACHINES = "machines"  # folder of the acts that are by machines, which no training reads
TABLES = ("leads", "activities", "outcomes", "truth")
RANDOM_STREAMS = ("leads", "paths", "activity_seconds", "activities", "outcomes", "truth", "mail")


@dataclass(frozen=True)
class SimulationResult:
    """The folder of a simulation and the number of rows of each table; a lead has a row per restatement too."""

    folder: Path
    leads: int
    activities: int
    outcomes: int
    truth: int


@dataclass(frozen=True)
class _ChunkTask:
    """The arguments for one chunk of leads, for a process."""

    folder: Path
    world: World
    hitting: HittingProbabilities | None
    seed: int
    chunk: int
    first: int
    leads: int
    truth_share: float
    mail: MailOptions | None


def simulate(
    folder: str | Path,
    *,
    leads: int = 20_000,
    months: int = 18,
    seed: int = 0,
    scenario: Scenario | Mapping[str, Any] | None = None,
    processes: int = 1,
) -> SimulationResult:
    """Write a simulated CRM. ``simulation.json`` comes last: a folder without it is incomplete.

    Parameters
    ----------
    folder
        New or empty; a new one is created.
    leads
        Number of leads, from 1 to 20,000,000.
    months
        Length from January 2024, from 1 to 120.
    seed
        0 or more. The same seed and options give the same bytes.
    scenario
        The options by name: ``drift`` (``none, mix, behaviour, base_rate``), ``drift_month``, ``spam``,
        ``worked_a_week``, ``truth_leads``, ``mail``, ``scanners``, ``bots``; see
        `leadml.simulator.scenario.Scenario`. None for its defaults.
    processes
        Number of processes, each with one chunk of 25,000 leads at a time; the bytes do not depend on it.

    Raises
    ------
    LeadmlError
        Where the folder is not empty, an option is unknown, or a number is out of its range.
    """
    folder = file_path(folder, "folder")
    scenario = scenario if isinstance(scenario, Scenario) else Scenario.of(scenario or {})
    _check(folder, leads=leads, seed=seed, processes=processes)
    world = build_world(scenario, leads=leads, months=months)
    truth_share = min(1.0, scenario.truth_leads / leads)
    hitting = weekly_hitting_probabilities(world) if truth_share else None
    mail = MailOptions(scenario.scanners, scenario.bots) if scenario.mail else None
    for part in ("activities", *(("truth",) if truth_share else ()), *((MACHINES,) if mail else ())):
        (folder / part).mkdir(parents=True, exist_ok=True)
    tasks = [
        _ChunkTask(folder, world, hitting, seed, chunk, first, min(CHUNK_SIZE, leads - first), truth_share, mail)
        for chunk, first in enumerate(range(0, leads, CHUNK_SIZE))
    ]
    rows = np.zeros(4, dtype=np.int64)
    with ExitStack() as stack:
        writers = {}
        for lead_rows, outcome_rows, (activities, truth) in _run_tasks(tasks, processes):
            for name, table in (("leads", lead_rows), ("outcomes", outcome_rows)):
                if name not in writers:
                    writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(table)
            rows += (len(lead_rows), activities, len(outcome_rows), truth)
    options = {"leads": leads, "months": months, "seed": seed, **scenario.as_written(), "truth_share": truth_share}
    rows_of_table = dict(zip(TABLES, rows.tolist(), strict=True))
    description = describe_simulation(world, options, rows=rows_of_table)
    (folder / "simulation.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    return SimulationResult(folder, **rows_of_table)


def _check(folder: Path, *, leads: int, seed: int, processes: int) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"the folder of a simulation must be new or empty, got {quoted(folder)}; name another or empty it"
        raise LeadmlError(msg)
    whole_number(leads, "leads", low=1, high=MOST_LEADS)
    whole_number(seed, "seed", low=0)
    whole_number(processes, "processes", low=1)


def _run_tasks(tasks: list[_ChunkTask], processes: int) -> Iterator[tuple[pa.Table, pa.Table, tuple[int, int]]]:
    """Yield the results of the chunks in the order of the chunks."""
    if processes == 1 or len(tasks) == 1:
        yield from map(_simulate_chunk, tasks)
        return
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_simulate_chunk, tasks)


def _simulate_chunk(task: _ChunkTask) -> tuple[pa.Table, pa.Table, tuple[int, int]]:
    """Write the activities and the truth of a chunk; return its leads, its outcomes and the numbers of rows written."""
    streams = np.random.SeedSequence(task.seed, spawn_key=(task.chunk,)).spawn(len(RANDOM_STREAMS))
    rng = dict(zip(RANDOM_STREAMS, map(np.random.default_rng, streams), strict=True))
    world, first, file_name = task.world, task.first, f"part-{task.chunk:05d}.parquet"
    attributes = sample_leads(world, task.leads, rng["leads"])
    paths = simulate_paths(world, attributes, rng["paths"])
    seconds = sample_activity_seconds(paths, rng["activity_seconds"])
    activities = activities_table(world, attributes, paths, seconds, first=first, rng=rng["activities"])
    if task.mail is not None:
        activities, machines = add_mail(
            activities, attributes, days=world.days, options=task.mail, first=first, rng=rng["mail"]
        )
        pq.write_table(machines, task.folder / MACHINES / file_name, compression="zstd")
    pq.write_table(activities, task.folder / "activities" / file_name, compression="zstd")
    truth_rows = 0
    if task.hitting is not None:
        leads = np.flatnonzero(rng["truth"].random(task.leads) < task.truth_share)
        with pq.ParquetWriter(task.folder / "truth" / file_name, TRUTH_SCHEMA, compression="zstd") as writer:
            for start in range(0, len(leads), TRUTH_BATCH_SIZE):
                batch = leads[start : start + TRUTH_BATCH_SIZE]
                rows = target_probabilities(world, attributes, paths, batch, task.hitting)
                writer.write_table(truth_table(rows, first=first))
                truth_rows += len(rows.lead)
    outcomes = outcomes_table(world, attributes, paths, first=first, rng=rng["outcomes"])
    return leads_table(attributes, paths, seconds, first=first), outcomes, (len(activities), truth_rows)
