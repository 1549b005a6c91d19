"""What a review of a million kept scores costs: seconds and memory of the whole command.

A project of dated leads: 100 leads come each day, with 8 fields and the outcomes of `leadml.simulator.stream`, and each
night the leads of the last four weeks are scored. The version is trained by `leadml train`; its scores are put into
the store with their parts, as `leadml score` puts them, without the other work of scoring. Then `leadml review` runs.

Run with: python benchmarks/review.py [--nights N] [--repeats N] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml
from measure import finish, options

from leadml.bundle.model import load
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.parts import part_log_odds, to_bytes
from leadml.publish.store.batch import BatchEntry
from leadml.publish.store.opening import writing_alone
from leadml.publish.store.writer import BatchWriter
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    from leadml.bundle.model import Model

TARGET, HORIZON, OPEN_DAYS = "sql", 30, 28
TRAINED_DAYS = 240
START = datetime(2024, 1, 1, tzinfo=UTC)
# Runs leadml's command line and prints the most memory that the process had, in kilobytes.
COMMAND = """
import atexit, resource, sys
from leadml.cli import app

atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr))
sys.argv[0] = "leadml"
app()
"""


def main() -> None:
    """Fill a store and review it."""
    chosen = options(__doc__ or "", "review", (), nights=360, repeats=3)
    with TemporaryDirectory() as name:
        folder = Path(name)
        leads = write_project(folder, days=TRAINED_DAYS + chosen.nights)
        run(folder, "train", "--set", f"sources.observed_until={day_text(TRAINED_DAYS)}")
        scores = fill_store(folder, leads, nights=chosen.nights)
        last = day_text(TRAINED_DAYS + chosen.nights)
        runs = [run(folder, "review", "--as-of", last, "--json") for _ in range(chosen.repeats)]
        verdict = json.loads(runs[0][2])["verdict"]
    seconds, megabytes = [each[0] for each in runs], max(each[1] for each in runs)
    result = {"scores": scores, "seconds": statistics.median(seconds), "most_seconds": max(seconds)}
    result |= {"megabytes": megabytes, "verdict": verdict}
    print(f"{scores:,} scores: {seconds} seconds, {megabytes:.0f} MB, {verdict}")
    finish("review", result, chosen)


def day_text(day: int) -> str:
    """Return a day of the stream in ISO 8601."""
    return (START + timedelta(days=day)).date().isoformat()


def write_project(folder: Path, *, days: int) -> pd.DataFrame:
    """Write tables and params of a project, and return its leads."""
    stream = Stream(leads_a_day=115)
    leads = stream.days(days, seed=0)
    random = np.random.default_rng(0)
    created = pd.Timestamp(START) + pd.to_timedelta(leads["day"], unit="D")
    leads = leads.assign(created_at=created)
    leads[["lead_id", "created_at", *stream.names]].to_parquet(folder / "leads.parquet", index=False)
    hours = random.integers(24, HORIZON * 24, len(leads))
    leads["won_at"] = np.where(leads["converted"] == 1, leads["day"] + hours / 24, np.inf)
    won = leads[leads["converted"] == 1]
    occurred = won["created_at"] + pd.to_timedelta(hours[won.index], unit="h")
    outcomes = pd.DataFrame({"lead_id": won["lead_id"], "occurred_at": occurred, "outcome": "sql"})
    outcomes.to_parquet(folder / "outcomes.parquet", index=False)
    params = {
        "data": {"timezone": "UTC"},
        "sources": {
            "leads": {"path": "leads.parquet", "lead_id": "lead_id", "created_at": "created_at"},
            "outcomes": {"path": "outcomes.parquet", "occurred_at": "occurred_at", "outcome": "outcome"},
        },
        "targets": {TARGET: {"outcome": "sql", "horizon": HORIZON}},
        "snapshots": {"oldest": OPEN_DAYS},
        "features": {"fit": dict.fromkeys(stream.names, "number")},
        "stages": {
            "iql": {"rule": "share", "top": 0.5},
            "mql": {"rule": "share", "top": 0.2},
            "sql": {"rule": "share", "top": 0.05},
        },
        "tracking": {"enabled": False},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return leads


def fill_store(folder: Path, leads: pd.DataFrame, *, nights: int) -> int:
    """Keep the scores of all nights, and return their number."""
    model = load(folder / "models" / TARGET)
    total = 0
    with writing_alone(f"sqlite:///{folder / 'leadml.db'}", lambda _: None) as store:
        for night in range(TRAINED_DAYS, TRAINED_DAYS + nights):
            is_open = leads["day"].between(night - OPEN_DAYS, night - 1) & (leads["won_at"] > night)
            scored, parts = scores_of(model, leads[is_open].assign(lead_age=night - leads["day"]))
            as_of = f"{day_text(night)}T00:00:00+00:00"
            matures = f"{day_text(night + HORIZON)}T00:00:00+00:00"
            entry = BatchEntry("", TARGET, model.version, model.manifest.model_hash, as_of, matures, "", None, "scored")
            writer = BatchWriter(store, entry, lambda _: None, keep_days=None, recycle_days=0)
            writer.begin(str(night), now=as_of)
            writer.known(scored["lead_id"].tolist())
            writer.add(scored, parts)
            writer.fill(scored=len(scored), not_scored=0, counts=None)
            writer.complete()
            total += len(scored)
    return total


def scores_of(model: Model, leads: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the scores of leads and their parts."""
    fields = model.bundle.model.encoder.fields_of(leads)
    explanation = explain_leads(model.bundle.model, fields)
    low, high = model.bundle.model.intervals.interval(explanation.probability, explanation.is_new)
    frame = pd.DataFrame({"lead_id": leads["lead_id"].to_numpy(), "probability": explanation.probability})
    stages = {"stage": "LEAD", "stage_source": "advised", "advised_stage": "LEAD", "previous_stage": "LEAD"}
    parts = to_bytes(part_log_odds(explanation, model.bundle.reference.parts))
    return frame.assign(probability_low=low, probability_high=high, **stages), parts


def run(folder: Path, *arguments: str) -> tuple[float, float, str]:
    """Run a command of leadml, and return its seconds, the most megabytes that it had, and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode not in {0, 3}:
        raise RuntimeError(done.stderr)
    return seconds, int(done.stderr.split()[-1]) / 1024, done.stdout


if __name__ == "__main__":
    main()
