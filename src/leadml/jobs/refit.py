"""Fit the recipe of the version in use on newer leads, if it was not surely worse as of a period ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import LeadmlError
from leadml.jobs.contest import LaterLeads, training_end
from leadml.jobs.learn import learn, recipe_hash
from leadml.jobs.weighed import weighing_of
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import MATURE_AT
from leadml.leads.sources.source import EVER, labelled_source, training_source
from leadml.model.fit.estimator import fit_model
from leadml.review.gate.judge import judge

if TYPE_CHECKING:
    import pandas as pd

    from leadml.bundle.contents import Bundle
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.review.gate.judge import Judged
    from leadml.types import Progress


@dataclass(frozen=True, eq=False)
class Refresh:
    """The recipe of the version in use as of one period ago, beside that version.

    Parameters
    ----------
    rows
        All rows whose outcomes are known.
    since, until
        After which instant and until when outcomes became known that judged it, microseconds.
    judged
        What the gate says.
    """

    rows: pd.DataFrame
    since: int
    until: int
    judged: Judged


def judge_recipe(champion: Model, project: Places, *, now: str, progress: Progress) -> Refresh:
    """Fit the recipe on what was known one period ago, and judge it beside the version in use on what came since.

    Parameters
    ----------
    champion
        The version in use.
    project
        The project.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    DataError
        If the leads cannot be read.
    LeadmlError
        If leads have no dates, or params have another recipe.
    ModelError
        If what was known a period ago is not enough for a training.
    """
    params, bundle = project.params, champion.bundle
    end = training_end(champion)
    if bundle.record.recipe_hash != recipe_hash(params):
        msg = (
            f"params.yaml must have the recipe of version {champion.version} to fit it on newer leads, got another "
            "one; train it and promote it as a change"
        )
        raise LeadmlError(msg)
    source = labelled_source(bundle.leads, project, now=now)
    rows = source.later(EVER, progress=progress)
    ago = int(rows[MATURE_AT].max()) - params.review.period_days * DAY
    since = max(ago, end)
    progress("fitting the recipe of a period ago")
    weighing, contract = weighing_of(project, now=now), bundle.leads.contract
    known = weighing.rows(rows[rows[MATURE_AT] <= ago].reset_index(drop=True))
    split = weighing.split(bundle.leads.settings.split(params.split, copies=contract.lead_id is None))
    recipe = fit_model(known, contract.fields, params, split=split, rules=params.baselines.points).model
    later = weighing.worked(source.later(since, progress=progress))
    later = later.sort_values(MATURE_AT, kind="stable", ignore_index=True)
    one, two = (model.predict(later) if len(later) else np.empty(0) for model in (bundle.model, recipe))
    contest = LaterLeads(later, one, two, (0.0, 0.0)).contest(champion, params.review.slices)
    until = int(rows[MATURE_AT].max())
    return Refresh(rows, since, until, judge(contest, params.gate, kind="refresh"))


def refitted(refresh: Refresh, project: Places, *, now: str, progress: Progress) -> Bundle:
    """Return the bundle of the recipe: evaluated on the holdout, then fitted again on all rows.

    Parameters
    ----------
    refresh
        A recipe that passed.
    project, now, progress
        As for `judge_recipe`.

    Raises
    ------
    DataError, ModelError
        As `leadml.jobs.learn.learn` does.
    """
    training = training_source(project, project.target, now=now).training(progress=progress)
    return learn(
        training,
        project.params,
        target=project.target,
        trained_at=now,
        progress=progress,
        everything=refresh.rows,
        weighing=weighing_of(project, now=now),
    )
