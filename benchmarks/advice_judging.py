"""Cases of advice about findings of flat leads, and of the page docs/findings.md; see `advice_cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from advice_cases import case
from measure import ROOT

from leadml import open_project
from leadml.errors import LeadmlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from advice_attempt import Attempt
    from advice_cases import Steps

FEW = 1000  # rows of the bundled leads, which a check reads in two seconds


def looked_up(at: Attempt, *severities: str, target: str | None = None) -> Callable[[], str]:
    """Return a step: check the leads, and look up in docs/findings.md what to do about findings of some severities."""

    def step() -> str:
        page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8").replace("`", "")
        rows = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| "))
        remedies = {row[0]: row[-1] for row in rows}
        result = open_project(at.folder / "params.yaml", target=target).check()
        found = [each for each in result.findings if each.severity in severities]
        text = "\n".join(f"{each.code} {each.field} {each.evidence}: {remedies[each.code]}" for each in found)
        if not result.is_ready:
            raise LeadmlError(text)
        return text

    return step


def some(at: Attempt, number: int = FEW) -> pd.DataFrame:
    """Return the first leads of the bundled file as text."""
    file = at.folder / "data" / "raw" / "bank.csv"
    return pd.read_csv(file, dtype=str, keep_default_na=False).head(number)


def put(at: Attempt, leads: pd.DataFrame, **columns: Any) -> None:
    """Write leads with further columns in the place of the bundled file."""
    at.prepare("limits.allow_small", value=True)
    leads.assign(**columns).to_csv(at.folder / "data" / "raw" / "bank.csv", index=False)


def exclude(at: Attempt, group: str, name: str) -> None:
    """Move a field from a group to features.excluded, because the advice says so."""
    at.follow("features.excluded")

    def move(chosen: dict[str, Any]) -> None:
        features = chosen["features"]
        del features[group][name]
        features["excluded"] = (features.get("excluded") or {}) | {name: "said by the check"}

    at.params(move)


@case("Bring more leads. limits.allow_small: true trains all the same")
def look_up_few(at: Attempt) -> Steps:
    """Look up what to do about 300 leads."""
    leads = some(at, 5000)
    put(at, leads.head(300))
    at.prepare("limits.allow_small", value=False)
    yield looked_up(at, "stop")
    at.set("limits.allow_small", value=True)
    yield looked_up(at, "stop")


@case("Compare how its groups are staged, and move what tells it to features.excluded")
def look_up_sensitive(at: Attempt) -> Steps:
    """Look up what to do where ages tell who is single."""
    put(at, some(at))
    at.params(lambda chosen: chosen["features"]["fit"].pop("marital"))
    at.prepare("features.sensitive", ["marital"])
    yield looked_up(at, "warn")
    exclude(at, "fit", "age")
    yield looked_up(at, "warn")


@case("Bring more leads of the rarer outcome, or set limits.allow_small: true.")
def look_up_few_converters(at: Attempt) -> Steps:
    """Look up what to do about leads of which 40 or so converted."""
    leads = some(at, 1500)
    put(at, leads[(leads["y"] == "no") | (np.arange(len(leads)) % 4 == 0)])
    at.prepare("limits.allow_small", value=False)
    yield looked_up(at, "stop")
    at.set("limits.allow_small", value=True)
    yield looked_up(at, "stop")


@case("Declare the column of the id, data.lead_id or sources.leads.lead_id")
def look_up_ids(at: Attempt) -> Steps:
    """Look up what to do where no id is declared."""
    put(at, some(at))
    at.prepare("data.lead_id", None)
    yield looked_up(at, "warn")
    at.set("data.lead_id", "id")
    yield looked_up(at, "warn")


@case("set data.lead_id; without it scores can be joined")
def declare_ids(at: Attempt) -> Steps:
    """Check leads without a declared id."""
    put(at, some(at))
    at.prepare("data.lead_id", None)
    yield "leadml check"
    at.set("data.lead_id", "id")
    yield "leadml check"


@case("Declare data.created_at: with dates, newer leads judge")
def look_up_dates(at: Attempt) -> Steps:
    """Look up what to do where the time at which leads came is not declared."""
    leads = some(at)
    put(at, leads, came=pd.date_range("2024-01-01", periods=len(leads), freq="6h", tz="UTC").map(str))
    yield looked_up(at, "warn")
    at.set("data.created_at", "came")
    yield looked_up(at, "warn")


@case("Move a field that is the same everywhere to features.excluded.")
def look_up_constant(at: Attempt) -> Steps:
    """Look up what to do about a field that is the same everywhere."""
    put(at, some(at), bank="Lisbon")
    at.prepare("features.fit.bank", "category")
    yield looked_up(at, "warn")
    exclude(at, "fit", "bank")
    yield looked_up(at, "warn")


@case("Move a field with a level of its own for most leads to features.excluded.")
def look_up_codes(at: Attempt) -> Steps:
    """Look up what to do about a category that is an id."""
    leads = some(at)
    put(at, leads, contract="C-" + leads["id"])
    at.prepare("features.fit.contract", "category")
    yield looked_up(at, "warn")
    exclude(at, "fit", "contract")
    yield looked_up(at, "warn")


@case("Move the field to features.excluded, or let leadml derive a class from it (features.read_out).")
def look_up_addresses(at: Attempt) -> Steps:
    """Look up what to do about e-mail addresses among the fields."""
    leads = some(at)
    put(at, leads, mail="a" + leads["id"] + "@" + leads["job"] + ".example")
    at.prepare("features.fit.mail", "category")
    yield looked_up(at, "stop")
    at.follow("features.read_out")
    at.params(lambda chosen: chosen["features"]["fit"].pop("mail"))
    at.prepare("features.read_out.email", "mail")
    yield looked_up(at, "stop")


@case("move it to features.excluded")
def exclude_addresses(at: Attempt) -> Steps:
    """Check leads with e-mail addresses among the fields."""
    leads = some(at)
    put(at, leads, mail="a" + leads["id"] + "@" + leads["job"] + ".example")
    at.prepare("features.fit.mail", "category")
    yield "leadml check"
    exclude(at, "fit", "mail")
    yield "leadml check"


@case("take the column that it is derived from out of features.read_out")
def leave_out_country(at: Attempt) -> Steps:
    """Check leads that are all of one country, from which a field is derived."""
    put(at, some(at), country="Portugal")
    at.prepare("features.read_out.country", "country")
    yield "leadml check"
    at.follow("features.read_out")
    at.params(lambda chosen: chosen["features"]["read_out"].pop("country"))
    yield "leadml check"


@case("Lower split.folds where a fold is evaluated on none")
def look_up_folds(at: Attempt) -> Steps:
    """Look up what to do about leads whose dates are five months."""
    leads = some(at)
    put(at, leads, came=[f"2024-0{1 + 5 * row // len(leads)}-01T00:00Z" for row in range(len(leads))])
    at.prepare("data.created_at", "came")
    yield looked_up(at, "stop")
    at.set("split.folds", 3)
    yield looked_up(at, "stop")


@case("Spell fields and levels of the rules in stages.rules as the leads do")
def look_up_rules(at: Attempt) -> Steps:
    """Look up what to do about a rule whose level is spelled otherwise."""
    put(at, some(at))
    at.prepare("stages.rules", {"mql": {"excluded": [{"field": "job", "any_of": ["Unemployed"]}]}})
    yield looked_up(at, "warn")
    at.set("stages.rules", {"mql": {"excluded": [{"field": "job", "any_of": ["unemployed"]}]}})
    yield looked_up(at, "warn")


def with_open(at: Attempt) -> None:
    """Say of a hundred leads that their outcome is open."""
    leads = some(at, 5000)
    put(at, pd.concat([leads.head(100).assign(y="open"), leads.iloc[100:]]))
    at.prepare("target.open", ["open"])


@case("Score open leads with leadml score FILE --open", base="trained bank")
def look_up_open(at: Attempt) -> Steps:
    """Look up what to do about open leads."""
    with_open(at)
    yield looked_up(at, "passed")
    at.follow("leadml score FILE --open --out SCORES")
    yield "leadml score data/raw/bank.csv --open --out scores.csv"


@case("leadml score FILE --open --out SCORES scores them", base="trained bank")
def score_open(at: Attempt) -> Steps:
    """Check a file with open leads."""
    with_open(at)
    yield "leadml check --verbose"
    at.follow("leadml score FILE --open --out SCORES")
    yield "leadml score data/raw/bank.csv --open --out scores.csv"
