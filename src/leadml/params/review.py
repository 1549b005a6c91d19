"""The section of ``params.yaml`` that says when a change of the leads, or an error of the model, is to be acted on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadml.params.section import Count, FieldName, Section, Share


class ChangeLimits(Section):
    """From which size a change of the leads since the training is said. All are sizes of an effect, not p-values.

    Each limit is raised to what the training's own leads varied by: from one part of their time to the others, and from
    the holdout to the others. Two standard errors are taken off a change of a share before it is compared.
    """

    missing: Share = 0.1
    """Change of the share of leads that lack the field, from 0 to 1. A field that no lead has, though the training
    always had it, is said whatever the limit."""
    out_of_range: Share = 0.1
    """Of the leads that have a number, the share below the 1% quantile of the training or above its 99% quantile,
    beyond that of the training. Days since something are left out: they rise as records reach further back."""
    new_levels: Share = 0.05
    """Of the leads that have a value, the share with a level that the training did not have, beyond the training's own
    rare levels."""
    distribution: Annotated[float, Field(gt=0, le=10)] = 0.25
    """Population stability index of the values of a field, without what chance adds to it. 0.1 is called a small shift
    by custom, 0.25 a large one."""
    score: Annotated[float, Field(gt=0, le=3)] = 0.2
    """Change of the mean probability as Cohen's h, as far as it is certain. 0.2 is called small by custom: 12% become
    19%."""
    stages: Share = 0.25
    """Change of the share of leads in a stage, from 0 to 1."""
    domain_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.6
    """AUC by which a classifier tells the leads of the newest period from those of the last one whose outcomes are
    known, by all parts of the score together. 0.5 is chance."""
    rate: Annotated[float, Field(gt=0, le=3)] = 0.2
    """Change of the share of leads that convert, as Cohen's h. 0.2 is called small by custom: 12% become 19%."""
    min_leads: Count = 200
    """Batches with fewer leads are judged only for fields that no lead has though the training always had them, from 20
    leads on; a share of 200 leads is known to 7 points."""


class ReplayParams(Section):
    """What `leadml replay` takes for known at the time."""

    labels: Literal["day", "week", "month"] = "day"
    """At the end of which of them outcomes become known. Weeks end on Sunday."""
    matures_after: Annotated[int, Field(ge=0, le=3650)] = 0
    """Flat leads: days after its creation after which the outcome of a lead is known. A file says nothing of it; of
    dated leads the horizon and the settling of the target say it."""


class ReviewParams(Section):
    """How a version in use is reviewed as outcomes come in; see decision 29."""

    period_days: Annotated[int, Field(ge=1, le=366)] = 30
    """Days of a period. In each period the first score of a lead counts, so that leads that are scored every night are
    judged once a period."""
    false_alarms: Annotated[Share, Field(le=0.5)] = 0.02
    """The chance that a year of daily reviews of a model that is as good as in its evaluation ends in RECALIBRATE or
    REFIT at least once. Half of it is for the level of the probabilities, half for their ranking."""
    min_conversions: Count = 300
    """Conversions in the newest two periods under which no verdict is given but INSUFFICIENT EVIDENCE."""
    volume_tolerance: Share = 0.33
    """By which part the share of leads at or above a cut may differ from what the rule of the cut promised, before the
    cut is to be solved again. A share that is within what it varied by in the training is kept, too."""
    slices: tuple[FieldName, ...] = ()
    """Fields by whose levels the review is split, such as country or channel. Numbers are split by the ranges by which
    the training was counted; where a field was named when it was trained, its share and rate of then are shown."""
    min_slice: Count = 200
    """Leads under which a slice is not judged: among many small slices some always look bad."""
    changes: ChangeLimits = ChangeLimits()
    """From which size a change of the leads is said, by `leadml score` and `leadml review` alike."""
    replay: ReplayParams = ReplayParams()
    """What a replay of the past takes for known at the time."""
