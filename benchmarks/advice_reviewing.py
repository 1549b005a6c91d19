"""Cases of advice about leads that differ from those of the training, and of reviews as outcomes come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advice_cases import case
from advice_stream import FIRST_DAYS, better, bring_outcomes, day, leads_of, poor, score_days

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps

DAYS = 30  # of scores: a period of a review
REVIEW = f"leadml review --as-of {day(FIRST_DAYS + DAYS + 1)}"


@case("or lower review.changes.min_leads", "trained stream")
def judge_few_leads(at: Attempt) -> Steps:
    """Score 50 leads, which are too few to be compared with those of the training."""
    leads_of(at.folder, FIRST_DAYS, FIRST_DAYS + 1).to_csv(at.folder / "new.csv", index=False)
    yield "leadml score new.csv -o scored.csv"
    at.set("review.changes.min_leads", 50)
    yield "leadml score new.csv -o scored.csv"


@case("See which leads came in; if they are right", "trained stream")
def allow_other_leads(at: Attempt) -> Steps:
    """Score the leads of a campaign that reaches better ones, of which more are above the cuts."""
    leads = better(leads_of(at.folder, FIRST_DAYS, FIRST_DAYS + DAYS))
    leads.drop(columns="converted").to_csv(at.folder / "new.csv", index=False)
    yield "leadml score new.csv -o scored.csv"
    at.set("review.changes.stages", 0.7)
    yield "leadml score new.csv -o scored.csv"


@case("Wait where days are named. Else lower", "trained stream")
def need_fewer_conversions(at: Attempt) -> Steps:
    """Review a version whose periods never have as many conversions as params ask for."""
    at.prepare("review.min_conversions", 5000)
    score_days(at, DAYS)
    bring_outcomes(at.folder, FIRST_DAYS + DAYS)
    yield REVIEW
    at.set("review.min_conversions", 100)
    yield REVIEW


@case("after the model itself was seen to", "trained stream")
def cut_again_for_a_broken_precision(at: Attempt) -> Steps:
    """Review a version after the team asked for more of the leads of SQL than its cut gives."""
    score_days(at, 2 * DAYS)
    bring_outcomes(at.folder, FIRST_DAYS + 2 * DAYS)
    at.prepare("stages.sql", {"rule": "precision", "at_least": 0.6, "confidence": 0.8})
    yield "leadml review"
    at.follow("leadml review --act")
    at.do("leadml review --act")
    yield "leadml review"


@case("or change what the team can work", "trained stream")
def cut_again_for_a_broken_share(at: Attempt) -> Steps:
    """Review a version after a campaign brought better leads, more of which are above the cut of MQL."""
    score_days(at, DAYS, better)
    bring_outcomes(at.folder, FIRST_DAYS + DAYS, better)
    yield "leadml review"
    at.follow("leadml review --act")
    at.do("leadml review --act")
    yield "leadml review"


@case("must have worked leads of both outcomes", "trained stream")
def learn_from_all_leads(at: Attempt) -> Steps:
    """Weigh explored leads while the newest ones are poor, and hardly one of them was worked."""
    at.prepare("score.explore", 0.001)
    score_days(at, 2 * DAYS, poor)
    bring_outcomes(at.folder, FIRST_DAYS + 2 * DAYS, poor)
    at.prepare("score.weigh_explored", value=True)
    at.prepare("split.test_share", 0.05)
    yield "leadml train"
    at.set("score.weigh_explored", value=False)
    yield "leadml train"
