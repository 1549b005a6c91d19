"""Cases of advice about fields, rows and activities that know the outcome; see `advice_cases`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from advice_cases import case
from advice_judging import exclude, looked_up, put, some
from advice_judging_tables import CHECK, shrink, table
from advice_judging_tables import put as put_table

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps

ROWS = 1500  # of the bundled leads: enough that a leak stops and nothing else does
REASON = "the team has asked who enters it, and when"


def use_duration(at: Attempt) -> None:
    """Use the duration of the call, which is known only after it."""
    put(at, some(at, ROWS))
    at.params(lambda chosen: chosen["features"]["excluded"].pop("duration"))
    at.prepare("features.engagement.duration", "number")


@case("Exclude the field, or name it in leaks.accept with the reason.")
def look_up_duration(at: Attempt) -> Steps:
    """Look up what to do about a field with a name that is written after the outcome."""
    use_duration(at)
    yield looked_up(at, "stop")
    at.set("leaks.accept", {"duration": REASON})
    yield looked_up(at, "stop")


@case(
    "it is a suspected leak: ask who fills it in whether that happens before or after the deal is decided; if after, "
    "move it to features.excluded; if before, name it in leaks.accept with that reason"
)
def exclude_duration(at: Attempt) -> Steps:
    """Check leads with a field that is known only after the outcome."""
    use_duration(at)
    yield "leadml check"
    exclude(at, "engagement", "duration")
    yield "leadml check"


@case(
    "ask who fills it in whether that happens before or after the deal is decided; if after, move it to "
    "features.excluded"
)
def exclude_owner(at: Attempt) -> Steps:
    """Check leads with a field that has the name of a leak, and knows nothing."""
    put(at, some(at, ROWS), lead_owner=np.random.default_rng(3).choice(["Ana", "Ben", "Cem"], ROWS))
    at.prepare("features.engagement.lead_owner", "category")
    yield "leadml check"
    exclude(at, "engagement", "lead_owner")
    yield "leadml check"


@case(
    "it is a suspected leak: ask who fills in the column that it is derived from whether that happens before or after "
    "the deal is decided; if after, take that column out of features.read_out; if before, name the field in"
)
def leave_out_offer(at: Attempt) -> Steps:
    """Check leads with a field that says whether the offer is filled in, which it is for those that bought."""
    leads = some(at, ROWS)
    put(at, leads, offer=np.where(leads["y"] == "yes", "made", ""))
    at.prepare("features.read_out.evidence", ["offer"])
    yield "leadml check"
    at.follow("take that column out of features.read_out")
    at.prepare("features.read_out.evidence", [])
    yield "leadml check"


@case(
    "ask who fills in the column that it is derived from whether that happens before or after the deal is decided; if "
    "after, take that column out of features.read_out"
)
def leave_out_value(at: Attempt) -> Steps:
    """Check leads with a field derived from a column with the name of a leak, which knows nothing."""
    put(at, some(at, ROWS), deal_value=np.random.default_rng(3).choice(["1000", ""], ROWS))
    at.prepare("features.read_out.evidence", ["deal_value"])
    yield "leadml check"
    at.follow("take that column out of features.read_out")
    at.prepare("features.read_out.evidence", [])
    yield "leadml check"


@case("or name together in leaks.accept with the reason why they were not")
def accept_together(at: Attempt) -> Steps:
    """Check leads that were so completed that many fields together tell the outcome."""
    leads, random = some(at, ROWS), np.random.default_rng(1)
    won = (leads["y"] == "yes").to_numpy()
    columns = {f"answer{number}": np.round(won + random.normal(size=ROWS), 2) for number in range(20)}
    put(at, leads, **columns)
    at.params(lambda chosen: chosen["features"]["fit"].update(dict.fromkeys(columns, "number")))
    yield "leadml check"
    at.follow("name together in leaks.accept")
    at.set("leaks.accept", {"together": REASON})
    yield "leadml check"


@case("it is a suspected leak: ids and rows must be in an order that existed before the outcome")
def accept_order(at: Attempt) -> Steps:
    """Check a file in which those that bought come first."""
    put(at, some(at, ROWS).sort_values("y", ascending=False))
    yield "leadml check"
    at.follow("name order in leaks.accept")
    at.set("leaks.accept", {"order": REASON})
    yield "leadml check"


def copy_leads(at: Attempt) -> None:
    """Enter a fifth of the leads twice, each under another id and the same address."""
    leads = some(at, ROWS).assign(mail=lambda rows: "a" + rows["id"] + "@x.example")
    copies = leads.sample(frac=0.2, random_state=1)
    put(at, pd.concat([leads, copies.assign(id="C" + copies["id"])]))


@case("it is a suspected leak: remove the duplicates, or declare what such leads share in split.same_person")
def declare_people(at: Attempt) -> Steps:
    """Check leads of which some are entered twice."""
    copy_leads(at)
    yield "leadml check"
    at.follow("split.same_person")
    at.prepare("split.same_person.email", "mail")
    yield "leadml check"


@case("Remove the duplicates, or declare what such leads share in split.same_person")
def look_up_people(at: Attempt) -> Steps:
    """Look up what to do about leads that are entered twice."""
    copy_leads(at)
    yield looked_up(at, "stop")
    at.follow("split.same_person")
    at.prepare("split.same_person.email", "mail")
    yield looked_up(at, "stop")


def reached(at: Attempt) -> pd.Series:
    """Return by id when each lead of the CRM reached the target, of those that did."""
    outcomes = table(at, "outcomes")
    return outcomes[outcomes["outcome"] == "sql"].groupby("lead_id")["occurred_at"].min()


@case("leave out the activities that it counts, or name it in leaks.accept with the reason why it is no leak", "crm")
def accept_offers(at: Attempt) -> Steps:
    """Check activities of a kind that is entered for leads that reach the target, with a date before it."""
    shrink(at)
    at.prepare("features.activities.kinds.offer", "offers")
    when = reached(at).reset_index()
    times = pd.concat([when.assign(occurred_at=when["occurred_at"] - pd.Timedelta(days=days)) for days in range(1, 31)])
    offers = times.assign(recorded_at=times["occurred_at"], kind="offer", channel="crm")
    put_table(at, "activities", pd.concat([table(at, "activities"), offers], ignore_index=True))
    yield CHECK
    names = re.findall(r"LK\d+ stop (\S+)", at.output)
    at.set("leaks.accept", dict.fromkeys(names, REASON))
    yield CHECK


@case("or name activities in leaks.accept with the reason why they were not", base="crm")
def accept_copies(at: Attempt) -> Steps:
    """Check activities that were copied for leads that reached the target."""
    shrink(at)
    activities = table(at, "activities")
    copies = activities[activities["lead_id"].isin(reached(at).index)]
    put_table(at, "activities", pd.concat([activities, copies], ignore_index=True))
    yield CHECK
    at.follow("name activities in leaks.accept")
    at.set("leaks.accept", {"activities": REASON})
    yield CHECK
