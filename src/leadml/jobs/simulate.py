"""Write leads of the simulated stream to a file, with the scores that a version gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from leadml.arguments import require_suffix
from leadml.leads.check.contract import CREATED_AT, LEAD_ID
from leadml.publish.sink import FileChoices
from leadml.publish.sinks import table_sink

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.bundle.model import Model
    from leadml.simulator.stream import Stream

FIRST_DAY = "2024-01-01"  # the simulated CRM begins on this day too
TRUE, SCORED = "true_probability", "score_probability"


def write_stream(
    stream: Stream, out: Path, *, seed: int, days: int, before: int | None = None, model: Model | None = None
) -> int:
    """Write the leads of the first days, or leads of the time before them, and return how many there are.

    Parameters
    ----------
    stream
        The stream.
    out
        The file, ``.csv`` or ``.parquet``. Its columns are ``lead_id``, ``created_at`` (a date), the fields,
        ``true_probability`` and ``converted``.
    seed
        Seed of the leads.
    days
        Number of days; not used for leads of the time before.
    before
        Number of leads of the time before the first day, to train on; None for the leads of the days. They have no
        date, and no true probability that a training could use.
    model
        The version that scores the leads, for the column ``score_probability``; it is empty for a lead that the
        version refuses. None for no such column.

    Raises
    ------
    LeadmlError
        If an option is out of its range, the version cannot read the leads, or the file cannot be written.
    """
    require_suffix(out, ".csv", ".parquet")
    if before is None:
        leads = stream.days(days, seed=seed).rename(columns={"probability": TRUE})
        dates = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(leads.pop("day"), unit="D")
        leads.insert(1, CREATED_AT, dates.dt.strftime("%Y-%m-%d"))
    else:
        leads = stream.before(before, seed=seed).drop(columns="probability")
    if model is not None:
        scored = model.score(leads, reasons=1).set_index(LEAD_ID)["probability"]
        leads = leads.assign(**{SCORED: leads[LEAD_ID].map(scored)})
    with table_sink(out, FileChoices(raw=True)) as sink:
        sink.write(leads)
    return len(leads)
