"""What the features of a million dated leads cost: reading, one snapshot of every lead, and those of a training.

CRMs of 0.1, 0.3 and 1 times the leads are simulated (about 30 activities a lead). For each a new process reads the
three Parquet tables, computes the features of every lead as of the last day, and then the snapshots of a training, with
the features of examples/crm and default params.
Run with: python benchmarks/features.py [--json] [--keep] [--recorded] [--leads N]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from measure import RESULTS, finish, options

from leadml.leads.asof.features import AS_OF, LEAD
from leadml.leads.asof.history import BLOCK_LEADS
from leadml.leads.asof.snapshots import compute_features, snapshot_dates, training_snapshots
from leadml.leads.check.contract import Contract
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.settings import AsOfSettings
from leadml.params import Params, load_params
from leadml.simulator.scenario import Scenario
from leadml.simulator.write import simulate

EXAMPLE = Path(__file__).parents[1] / "examples" / "crm" / "params.yaml"
NOW = "2026-06-01T00:00:00+00:00"
SHARES = (0.1, 0.3, 1.0)
MONTHS = 24
GIGABYTE = 1024**2  # kilobytes, in which the system counts


def main() -> None:
    """Simulate CRMs, measure each in a process of its own, draw the figure."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(_measure(Path(sys.argv[2]))))
        return
    arguments = options(__doc__ or "", "features", (EXAMPLE,), leads=1_000_000)
    rows = []
    for share in SHARES:
        leads = round(arguments.leads * share)
        with TemporaryDirectory() as name:
            root = Path(name)
            start = time.perf_counter()
            scenario = Scenario(truth_leads=0)
            simulation = simulate(root / "data", leads=leads, months=MONTHS, seed=0, scenario=scenario, processes=2)
            simulating = time.perf_counter() - start
            command = [sys.executable, __file__, "--one", str(root)]
            process = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            row = json.loads(process.stdout.splitlines()[-1])
        rows.append({"leads": leads, "activities": simulation.activities, "simulating": simulating, **row})
        print(pd.DataFrame(rows).round(2).to_string(index=False), flush=True)
    largest = rows[-1]
    power = np.polyfit(np.log([row["leads"] for row in rows]), np.log([row["seconds"] for row in rows]), 1)[0]
    print(f"the seconds are proportional to the {power:.2f}th power of the leads (1 is linear)")
    figures = {name: largest[name] for name in ("leads", "activities", "seconds", "peak_memory_gb")}
    finish("features", {**figures, "power": float(power), "sizes": rows}, arguments)
    if arguments.keep:
        _draw(rows)


def _measure(root: Path) -> dict[str, float]:
    declared = load_params(EXAMPLE)
    names = ("data", "sources", "targets", "features", "stages")
    params = Params(**{name: getattr(declared, name) for name in names})
    source = DatedLeads(root, params, Contract.from_params(params), AsOfSettings.from_params(params, "sql"), NOW)
    instants = [time.perf_counter()]
    with source.view(lambda _: None) as view:
        instants.append(time.perf_counter())
        until = max(coverage.newest for coverage in view.history.coverage.values())
        snapshots = 0
        for block in view.history.blocks():
            lead = np.arange(block.first, min(block.first + BLOCK_LEADS, len(view.history.lead_ids)))
            snapshots += len(compute_features(view, block, pd.DataFrame({LEAD: lead, AS_OF: until + 1})))
        instants.append(time.perf_counter())
        dates = snapshot_dates(int(view.history.created_at.min()), until, params.snapshots, timezone=None)
        most = params.snapshots.most
        training = training_snapshots(view, dates, observed_until=until, most=most, split=params.split)
        instants.append(time.perf_counter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE
    steps = dict(zip(("reading", "looking_once", "training_looks"), np.diff(instants).tolist(), strict=True))
    counts = {"looked": snapshots, "mature": training.counts["mature"], "drawn": training.counts["drawn"]}
    return {"seconds": instants[-1] - instants[0], "peak_memory_gb": peak, **steps, **counts}


def _draw(rows: list[dict[str, float]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "leadml"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    leads = [row["leads"] / 1e6 for row in rows]
    for name in ("seconds", "reading", "looking_once", "training_looks"):
        axes.plot(
            leads, [row[name] for row in rows], marker="o", label=name.replace("_", " ").replace("seconds", "all")
        )
    axes.set(xlabel="million leads (30 activities each)", ylabel="seconds on 2 cores", ylim=(0, None), xlim=(0, None))
    axes.legend()
    figure.savefig(RESULTS / "features.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
