"""Describe a simulation for ``simulation.json``: its options, its rules, all its numbers, the definition of the truth.

The keys and texts are those of format 1 of the file. They stay as they are, also where the code uses another word.
The module describes no single lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadml.simulator import market, rates
from leadml.simulator.lead_attributes import START
from leadml.simulator.truth import SMALLEST_PROBABILITY
from leadml.simulator.world import (
    CLOSED,
    FIT_LEVELS,
    FIT_STEP,
    GROUP_OF_STATE,
    INTERESTS,
    KINDS,
    REASONS,
    STATE_GROUPS,
    STATES,
    TARGETS,
)

if TYPE_CHECKING:
    from leadml.simulator.world import World

FORMAT = 2  # rises by 1 when keys of simulation.json change
# Keys of `simulation.json` for the constants of `market` that have another name there.
MARKET_KEYS = {
    "INTEREST_TILT": "tilt",
    "FIT_SCALE": "spread",
    "LEADS_PER_ACCOUNT": "leads_per_firm",
    "YEARLY_INCREASE": "increase_a_year",
    "AUTHORITY_GROUP": "senior",
    "PHONE_CHANNEL": "by_phone",
}
HIDDEN_VARIABLES = """
interest: gone, cold, warm, hot or spam, moving from day to day; it drives acts, moves, blanks and answers
acts that have happened and are not yet recorded
everything from the look date on
"""
RULES = """
A day: interest moves; acts are Poisson, with rates by interest and group of states; then at most one move.
Moves in the funnel compete, with hazards by interest, state and fit. The first day is the one after the lead comes.
Fit is a level from recorded attributes. The first interest depends on source, month, job title and fit.
Budget, authority, need, timeline and phone are blank or given by the first interest, and change no hazard.
A day with a form or demo request may restate the timeline, by the interest of that day.
Leads of organic and paid search come by a form, dated as they come; it says no more than the source.
Acts come before the move of their day. A lead that is lost or churned does nothing more.
What would be recorded after the last day is in no table.
"""
TRUTH_DEFINITION = """
probability: that the target is reached on one of the horizon's days, the first of which begins at as_of, given all \
that is recorded by as_of, all numbers in this file, and that the target was not in fact reached before as_of.
Recorded by as_of: attributes with valid_from before it; activities and outcomes with occurred_at before it and \
recorded_at not after it.
Computed exactly: a forward filter over interest by day, its last 7 days with rates thinned by the chance of being \
recorded by as_of; then a backward recursion over interest and state to the horizon.
Rows: some leads, drawn by the seed, each on all Mondays at 00:00 UTC of its open life. A lead that has in fact \
reached the target, recorded or not, has no row for it.
reached: what came of it, null where the horizon ends after the last day. Neither is for training.
"""
TRUTH_WITH_WORK = (
    "Sales works the leads with the newest recorded act: probability is that of the target if nobody works the lead "
    "from as_of on, with work begun before as_of taking its course. reached is with the work that was done, so it lies "
    "above the probability. Each chunk of leads has a team of its own, with its share of the week's work."
)


def describe_simulation(world: World, options: dict[str, Any], *, rows: dict[str, int]) -> dict[str, Any]:
    """Return the content of ``simulation.json``.

    Parameters
    ----------
    world
        The parameters of the simulation.
    options
        The options of the caller, by name.
    rows
        Number of rows of each table.
    """
    return {
        "format": FORMAT,
        "choices": options,
        "rows": rows,
        "first_day": str(START),
        "days": world.days,
        "look_dates": "Mondays at 00:00 UTC",
        "targets": [
            {
                "target": target.name,
                "horizon_days": target.horizon,
                "population": [STATES[state] for state in target.population],
            }
            for target in TARGETS
        ],
        "rules": RULES.strip().splitlines(),
        "hidden": HIDDEN_VARIABLES.strip().splitlines(),
        "truth": [*TRUTH_DEFINITION.strip().splitlines(), *([TRUTH_WITH_WORK] if world.worked_share else [])],
        "smallest_probability": SMALLEST_PROBABILITY,
        "words": _names(),
        "world": world.to_json(),
        "season": {
            "acts_by_weekday": rates.ACTIVITY_BY_WEEKDAY.tolist(),
            "acts_by_year": _yearly_season(rates.ACTIVITY_BY_YEAR),
            "moves_by_weekday": rates.TRANSITION_BY_WEEKDAY.tolist(),
            "moves_by_year": _yearly_season(rates.TRANSITION_BY_YEAR),
        },
        "market": _market(),
    }


def _yearly_season(season: dict[str, float]) -> dict[str, float]:
    return {"depth": season["amplitude"], "crest_day": season["peak_day"], "waves": season["cycles"]}


def _names() -> dict[str, Any]:
    group_of_state = {state: STATE_GROUPS[group] for state, group in zip(STATES, GROUP_OF_STATE.tolist(), strict=True)}
    return {
        "interests": INTERESTS,
        "states": STATES,
        "closed": [STATES[state] for state in CLOSED],
        "groups": STATE_GROUPS,
        "group_of_state": group_of_state,
        "kinds": KINDS,
        "reasons": REASONS,
        "fit_levels": FIT_LEVELS,
        "fit_step": FIT_STEP,
    }


def _market() -> dict[str, Any]:
    plain = {
        MARKET_KEYS.get(name, name.lower()): value
        for name, value in vars(market).items()
        if name.isupper() and name != "QUESTIONS" and not name.startswith("_")
    }
    return {**plain, "questions": [vars(question) for question in market.QUESTIONS]}
