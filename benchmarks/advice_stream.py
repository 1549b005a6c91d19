"""A stream of flat leads whose outcomes come in over time, for advice that is given about a version in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from advice_attempt import Attempt

BEGIN = pd.Timestamp("2024-01-01")  # of a simulated stream
FIRST_DAYS = 80  # of which the version learns: 4,000 leads, of which a fifth convert
STREAM = "leadml simulate stream stream.csv --days 140 --leads-a-day 50 --rate 0.2 --fields 4 --seed 5"
PARAMS: dict[str, Any] = {
    "data": {"path": "leads.csv", "lead_id": "lead_id", "created_at": "created_at", "timezone": "UTC"},
    "target": {"name": "won", "column": "converted", "positive": ["1"], "negative": ["0"]},
    "features": {"fit": {f"field_{number}": "number" for number in range(1, 5)}},
    "stages": {
        "iql": {"rule": "share", "top": 0.5},
        "mql": {"rule": "share", "top": 0.3},
        "sql": {"rule": "share", "top": 0.15},
    },
    "split": {"folds": 3},
    "review": {"min_conversions": 100},
    "model": {"max_rounds": 40},
    "evaluation": {"draws": 50},
    "tracking": {"enabled": False},
}


def leads_of(folder: Path, first: int, last: int) -> pd.DataFrame:
    """Return the leads from one day of the stream to another, without it."""
    leads = pd.read_csv(folder / "stream.csv", dtype={"lead_id": str}).drop(columns="true_probability")
    day = (pd.to_datetime(leads["created_at"]) - BEGIN).dt.days
    return leads[(day >= first) & (day < last)]


def bring_outcomes(folder: Path, until: int, choose: Callable[[pd.DataFrame], pd.DataFrame] | None = None) -> None:
    """Write the leads up to a day into the file that params name, those after the training as they were chosen."""
    later = leads_of(folder, FIRST_DAYS, until)
    leads = pd.concat([leads_of(folder, 0, FIRST_DAYS), choose(later) if choose else later])
    leads.to_csv(folder / "leads.csv", index=False)


def score_days(
    at: Attempt, days: int, choose: Callable[[pd.DataFrame], pd.DataFrame] | None = None, *, every: int = 10
) -> None:
    """Score the leads after the training, those of some days together at noon of the last of them."""
    for first in range(FIRST_DAYS, FIRST_DAYS + days, every):
        leads = leads_of(at.folder, first, first + every)
        (choose(leads) if choose else leads).drop(columns="converted").to_csv(at.folder / "new.csv", index=False)
        at.do(f"leadml score new.csv -o scored_{first}.parquet --scored-at {day(first + every - 0.5)}")


def day(number: float) -> str:
    """Return an instant some days after the beginning of the stream, in ISO 8601."""
    return (BEGIN + pd.Timedelta(days=number)).isoformat()


def better(leads: pd.DataFrame) -> pd.DataFrame:
    """Return the leads of a campaign that reaches those who convert more often, by their strongest field."""
    return leads.query("field_1 > 0.6")


def poor(leads: pd.DataFrame) -> pd.DataFrame:
    """Return the leads that hardly convert, by their three strongest fields."""
    return leads.query("field_1 < -0.3 and field_2 > 0.3 and field_3 < 0.3")
