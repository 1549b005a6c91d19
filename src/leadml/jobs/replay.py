"""Play the past as if it were live, with the recipe of the params: what each policy would have said.

The policies and what they may know are fixed by params before the first period; none of them reads a later row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scipy.special import logit

from leadml.errors import LeadmlError, ModelError, quoted
from leadml.leads.check.contract import AS_OF, MATURE_AT, Contract
from leadml.leads.sources.settings import settings_from_params
from leadml.leads.sources.source import EVER, training_source
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.evaluation import as_rows, plain_rows
from leadml.publish.text_tables import TextTable
from leadml.review.replay.figures import period_figures, pooled_figures
from leadml.review.replay.history import History
from leadml.review.replay.policies import Replay

if TYPE_CHECKING:
    import pandas as pd

    from leadml.jobs.places import Places
    from leadml.leads.split import Split
    from leadml.params import LimitParams
    from leadml.review.replay.policies import LogOdds
    from leadml.types import Progress


@dataclass(frozen=True, repr=False, eq=False)
class Replayed:
    """What each policy would have said.

    Parameters
    ----------
    target
        Name of the target.
    labels
        At the end of which ``day``, ``week`` or ``month`` outcomes became known.
    figures
        Of `pooled_figures`: all periods together, a row for each policy.
    periods
        Of `period_figures`: a row for each period and policy.
    """

    target: str
    labels: str
    figures: pd.DataFrame
    periods: pd.DataFrame

    @property
    def line(self) -> str:
        """The result in one line, for a log."""
        losses = {row["policy"]: row["log_loss"] for row in as_rows(self.figures)}
        first, last = self.periods["period"].iloc[[0, -1]]
        leads = int(self.periods.loc[self.periods["policy"] == "loop", "leads"].sum())
        said = (
            f"log loss {losses['loop']:.4f} by the loop, {losses['refit']:.4f} refitted each month, "
            f"{losses['once']:.4f} with one model for good"
        )
        return f"{self.target}, {leads:,} predictions from {first} to {last}, outcomes known by {self.labels}: {said}"

    def table(self) -> TextTable:
        """Return the figures of all periods together for people."""
        head = (
            "policy", "log loss", "less than refit (90%)", "ROC AUC", "within periods", "ECE", "gain", "promotions"
        )  # fmt: skip
        promoted = self.periods.loc[self.periods["policy"] == "loop", "promoted"]
        rows = [
            (
                row["policy"],
                f"{row['log_loss']:.4f}",
                f"{-row['difference']:+z.4f} ({-row['difference_high']:+z.4f} to {-row['difference_low']:+z.4f})",
                *(f"{row[name]:.3f}" for name in ("roc_auc", "roc_auc_within", "ece", "gain")),
                f"{int(promoted.sum())} of {len(promoted)}" if row["policy"] == "loop" else "",
            )
            for row in as_rows(self.figures)
        ]
        return TextTable(head, rows)

    def to_json(self) -> dict[str, Any]:
        """Return all figures as values that JSON can store."""
        tables = {"figures": plain_rows(self.figures), "periods": plain_rows(self.periods)}
        return {"target": self.target, "labels": self.labels, **tables}

    def __repr__(self) -> str:
        """Return the result in one line."""
        return f"<{self.line}>"

    def _repr_html_(self) -> str:
        """Return the figures as a table, for notebooks."""
        return self.table().to_html(self.line)


def replay(project: Places, *, since: str | None, now: str, progress: Progress) -> Replayed:
    """Play the past of a project.

    Parameters
    ----------
    project
        The project.
    since
        The first month, such as ``2026-03``; None for the first one at whose beginning there were enough leads to train
        on (``limits``).
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the leads cannot be read.
    LeadmlError
        If leads have no dates, or there is no such month.
    ModelError
        If what was known at the first month is not enough for a training.
    """
    params = project.params
    contract, settings = Contract.from_params(params), settings_from_params(params, project.target)
    frame = training_source(project, project.target, now=now).later(EVER, progress=progress)
    split = settings.split(params.split, copies=contract.lead_id is None)
    as_of, mature_at = (frame[name].to_numpy() for name in (AS_OF, MATURE_AT))
    frame = frame.assign(**{MATURE_AT: settings.known_at(as_of, mature_at, params.review.replay.matures_after)})

    def fit(known: pd.DataFrame) -> LogOdds:
        model = fit_model(known, contract.fields, params, split=split, rules=params.baselines.points).model
        return lambda rows: logit(model.predict(rows))

    history = History.of(frame, params.review.replay.labels)
    played = Replay.of(history, fit)
    months = _asked_for(history, since) if since is not None else _possible(history, split, params.limits)
    for month in months:
        progress(f"playing {history.name(month)}, the last is {history.name(months[-1])}")
        played.play(month)
    return Replayed(project.target, params.review.replay.labels, pooled_figures(played), period_figures(played))


def _asked_for(history: History, since: str) -> list[int]:
    """Return the months from the one that was asked for."""
    months = history.months
    found = [month for month in months if history.name(month) >= since]
    if not found or found[0] == months[0]:
        names = f"{history.name(months[1])} to {history.name(months[-1])}" if len(months) > 1 else "none"
        msg = f"since (--since) must be a month with leads before it, {names}, got {quoted(since)}"
        raise LeadmlError(msg)
    return found


def _possible(history: History, split: Split, limits: LimitParams) -> list[int]:
    """Return the months from the first one at whose beginning a training was possible."""
    for place, month in enumerate(history.months):
        known = history.known(history.begin(month))
        if known.sum() < limits.min_leads or history.label[known].sum() < limits.min_conversions:
            continue
        try:
            split.folds(history.frame[known].reset_index(drop=True))
        except ModelError:  # the leads whose outcomes are known do not reach far enough back
            continue
        return history.months[place:]
    msg = (
        f"there must be a month that begins with {limits.min_leads:,} known outcomes and {limits.min_conversions:,} "
        f"conversions (limits), of enough months, got none of {len(history.months):,}; bring a longer history"
    )
    raise LeadmlError(msg)
