"""Replays of whole projects, with the default policy: streams of which the truth is known.

A stream has 8 fields and 50 leads a day, 4,000 of them before January 2025. The months from January to August are
played; outcomes are known 14 days after a lead was created. From March on the odds of all leads are 1.6 times as high
(`odds`), or the two strongest effects are halved (`effects`); a `healthy` stream stays as it was.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd
import yaml
from checkouts import kept_in
from measure import ROOT, code_hash

from leadml import open_project
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    from leadml.jobs.replay import Replayed

KINDS = {"healthy": "none", "odds": "odds", "effects": "effects"}
SEEDS = 10
FIRST_DAY, DRIFT_MONTH, DAYS, LEADS_A_DAY, BEFORE = "2025-01-01", "2025-03", 243, 50, 4000


def of_streams(fits: Path) -> dict[str, dict[str, float]]:
    """Return the log losses of each kind of stream, means over the seeds, and how far the loop comes.

    ``above_once`` is what the loop has more than ``once``; ``way`` how far it comes on the way from ``once`` to
    ``refit``; of both also the worst seed.

    Parameters
    ----------
    fits
        Where to keep what was replayed; the empty path for nowhere.
    """
    made_with = code_hash(ROOT / "src" / "leadml", [Path(__file__)])
    replay, found = kept_in(fits, losses_of_stream), {}
    for kind in KINDS:
        losses = pd.DataFrame([replay(kind, seed, made_with) for seed in range(SEEDS)])
        above, gain = losses["loop"] - losses["once"], losses["once"] - losses["refit"]
        figures = losses.mean().to_dict() | {"above_once": above.mean(), "most_above_once": above.max()}
        if kind != "healthy":
            figures |= {"way": -above.mean() / gain.mean(), "least_way": (-above / gain)[gain > 0].min()}
        found[kind] = {name: float(value) for name, value in figures.items()}
        print(f"\n{kind}\n{losses.round(4).to_string()}", flush=True)
    return found


def losses_of_stream(kind: str, seed: int, _code: str) -> dict[str, float]:
    """Return the log loss of each policy on a stream."""
    drift_day = (pd.Timestamp(DRIFT_MONTH) - pd.Timestamp(FIRST_DAY)).days
    stream = Stream(leads_a_day=LEADS_A_DAY, drift=KINDS[kind], drift_day=drift_day)
    before = stream.before(BEFORE, seed=seed)
    before.insert(1, "day", before.index // LEADS_A_DAY - BEFORE // LEADS_A_DAY)
    leads = pd.concat([before, stream.days(DAYS, seed=seed)], ignore_index=True)
    leads["created"] = (pd.Timestamp(FIRST_DAY) + pd.to_timedelta(leads["day"], unit="D")).dt.strftime("%Y-%m-%d")
    params = {
        "data": {"path": "leads.csv", "lead_id": "lead_id", "created_at": "created", "timezone": "UTC"},
        "target": {"name": "won", "column": "converted", "positive": ["1"], "negative": ["0"]},
        "features": {"fit": dict.fromkeys(stream.names, "number")},
        "stages": {stage: {"rule": "share", "top": top} for stage, top in (("iql", 0.5), ("mql", 0.2), ("sql", 0.1))},
        "review": {"replay": {"matures_after": 14}},
        "tracking": {"enabled": False},
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        leads[["lead_id", "created", *stream.names, "converted"]].to_csv(folder / "leads.csv", index=False)
        (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        return losses_of(open_project(folder).replay(since=FIRST_DAY[:7]))


def losses_of(replayed: Replayed) -> dict[str, float]:
    """Return the log loss of all periods together, by policy."""
    losses: dict[str, float] = replayed.figures.set_index("policy")["log_loss"].to_dict()
    return losses
