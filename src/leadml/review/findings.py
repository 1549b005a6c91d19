"""Say what a review found, each finding with its evidence; "not applicable" is not "passed"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import inert
from leadml.leads.judge.findings import CATALOGUE, Finding
from leadml.model.judge.evaluation import as_rows
from leadml.review.performance.slices import DIFFERS, TOO_FEW
from leadml.review.promises import BROKEN, KEPT
from leadml.review.verdict import days_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from leadml.leads.judge.findings import Severity
    from leadml.params.review import ReviewParams
    from leadml.review.assess import Assessment, ReviewedVersion
    from leadml.review.evidence.e_detectors import Evidence
    from leadml.review.exploration import Exploration

MOST_SHOWN, WHOLE = 1_000_000, 100  # evidence: the largest number that is shown, and from where on it has no decimals
NO_PERIOD = "no period is over whose outcomes are all known"


def review_findings(
    found: Assessment, version: ReviewedVersion, choices: ReviewParams, *, days: int | None
) -> list[Finding]:
    """Return the findings about outcomes, cuts, estimates, slices and the mix of leads.

    Parameters
    ----------
    found
        What scores and outcomes say.
    version
        What the version is held to.
    choices
        The section ``review`` of the params.
    days
        Days until there will be enough conversions; None if there never will be at the present rate.
    """
    return [
        _domain(found, choices),
        _enough(found, choices, days),
        _evidence("RV10", "level", found.level, choices),
        _evidence("RV11", "ranking", found.ranking, choices),
        *_promises(found.promises, days_text(choices.period_days)),
        _estimates(found.beside),
        _rate(found.realised, version, choices),
        _inflation(found.realised),
        *_slices(found.slices),
        _alike(found),
        _idle(found),
    ]


def _finding(code: str, severity: Severity, evidence: str, field: str = "") -> Finding:
    remedy = CATALOGUE[code].remedy if severity == "warn" else ""
    return Finding(code, severity, evidence, remedy[:1].lower() + remedy[1:-1], field)


def _domain(found: Assessment, choices: ReviewParams) -> Finding:
    domain, limit = found.domain, choices.changes.domain_auc
    if domain is None:
        evidence = "there are not two periods with 200 leads whose parts of the score are kept"
        return _finding("RV8", "not applicable", evidence)
    by = f", most by {', '.join(domain.strongest)}" if domain.strongest else ""
    evidence = (
        f"a classifier tells leads of the newest period from those before with AUC {domain.roc_auc:.2f} "
        f"({domain.low:.2f} to {domain.high:.2f}){by}; {limit:g} is the limit"
    )
    return _finding("RV8", "warn" if domain.low > limit else "passed", evidence)


def _enough(found: Assessment, choices: ReviewParams, days: int | None) -> Finding:
    evidence = f"{found.conversions:,} conversions in the newest two periods of outcomes"
    if found.conversions >= choices.min_conversions:
        return _finding("RV9", "passed", evidence)
    when = f"in {days_text(days)} there will be" if days is not None else "at the present rate two periods never have"
    return _finding("RV9", "warn", f"{evidence}, and {choices.min_conversions:,} are needed: {when} as many")


def _idle(found: Assessment) -> Finding:
    evidence = f"leads were last scored {days_text(found.idle)} ago; up to {days_text(found.idle_limit)} are usual"
    return _finding("RV21", "warn" if found.is_idle else "passed", evidence)


def _evidence(code: str, what: str, evidence: Evidence, choices: ReviewParams) -> Finding:
    if not evidence.is_known:
        return _finding(code, "not applicable", "too few outcomes are known of scores that are kept with their parts")
    least, most = 2 / choices.false_alarms, float(evidence.value.max())
    words = f"the evidence against the {what} was at most {evidence_text(most)}; {least:,.0f} is the limit"
    return _finding(code, "warn" if most >= least else "passed", words)


def evidence_text(value: float) -> str:
    """Return evidence in words: beyond a million more digits say nothing more.

    Examples
    --------
    >>> evidence_text(0.0312), evidence_text(1234.5), evidence_text(2e56)
    ('0.0312', '1,234', 'more than 1,000,000')
    """
    if value > MOST_SHOWN:
        return f"more than {MOST_SHOWN:,}"
    return f"{value:,.0f}" if value >= WHOLE else f"{value:.3g}"


def _promises(table: pd.DataFrame, days: str) -> Iterator[Finding]:
    if table.empty:
        for code in ("RV12", "RV13"):
            yield _finding(code, "not applicable", "the target drives no stage")
    for row in as_rows(table):
        stage = row["stage"]
        said = f"no outcome is known of a lead above the cut of {stage}"
        if row["leads"]:
            said = f"{row['precision']:.1%} of {row['leads']:,.0f} leads above the cut of {stage} converted"
        yield _promise("RV12", row["precision_verdict"], said, row["promised_precision"])
        said = f"{row['share']:.1%} of the leads of the newest {days} of scores are above the cut of {stage}"
        yield _promise("RV13", row["share_verdict"], said, row["promised_share"])


def _promise(code: str, verdict: str, said: str, promised: float) -> Finding:
    promise = "the rule of the cut promises no share" if np.isnan(promised) else f"promised were {promised:.1%}"
    severity: Severity = "warn" if verdict == BROKEN else "passed" if verdict == KEPT else "not applicable"
    return _finding(code, severity, f"{said}; {promise}")


def _estimates(beside: pd.DataFrame) -> Finding:
    """Judge the newest period of which both is known, by AUC and the precision at the cuts."""
    if beside.empty:
        return _finding("RV14", "not applicable", NO_PERIOD)
    newest = beside[beside["period"] == beside["period"].max()]
    missed = [row for row in as_rows(newest) if not row["held"]]
    if not missed:
        return _finding(
            "RV14", "passed", f"all {len(newest)} estimates of the period from {newest['period'].max()} held"
        )
    worst = max(missed, key=lambda row: abs(row["error"]))
    name = f"{worst['figure'].replace('_', ' ')} {worst['stage']}".strip()
    evidence = (
        f"{len(missed)} of {len(newest)} estimates of the period from {worst['period']} did not hold: {name} was "
        f"estimated as {worst['estimated']:.3f} ({worst['estimated_low']:.3f} to {worst['estimated_high']:.3f}) and "
        f"was {worst['realised']:.3f}"
    )
    # One in ten intervals misses by chance.
    return _finding("RV14", "warn" if len(missed) > max(len(newest) / 4, 1) else "passed", evidence)


def _rate(realised: pd.DataFrame, version: ReviewedVersion, choices: ReviewParams) -> Finding:
    if realised.empty:
        return _finding("RV15", "not applicable", NO_PERIOD)
    row = _newest(realised, "rate")
    before = version.reference.conversions / max(version.reference.rows, 1)
    change = 2 * abs(np.arcsin(np.sqrt(row["value"])) - np.arcsin(np.sqrt(before)))
    outside = not row["low"] <= before <= row["high"]
    evidence = (
        f"{row['value']:.1%} of the period from {row['period']} converted ({row['low']:.1%} to {row['high']:.1%}), "
        f"{before:.1%} in the evaluation; the size of the change is {change:.2f}, the limit {choices.changes.rate:g}"
    )
    return _finding("RV15", "warn" if change > choices.changes.rate and outside else "passed", evidence)


def _inflation(realised: pd.DataFrame) -> Finding:
    if realised.empty or realised["period"].min() == realised["period"].max():
        return _finding("RV16", "not applicable", "there are not two periods whose outcomes are all known")
    first = realised[realised["period"] == realised["period"].min()]
    said, said_first = _newest(realised, "mean_probability"), _newest(first, "mean_probability")
    rate = _newest(realised, "rate")
    rises = said["low"] > said_first["high"] and said["value"] > rate["high"]
    evidence = (
        f"the mean probability went from {said_first['value']:.1%} in the first period to {said['value']:.1%}, and "
        f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%}) converted"
    )
    return _finding("RV16", "warn" if rises else "passed", evidence)


def _newest(table: pd.DataFrame, figure: str) -> dict[str, float]:
    """Return the row of a figure of all leads in the newest period."""
    rows = table[(table["figure"] == figure) & (table["stage"] == "") & (table["period"] == table["period"].max())]
    return as_rows(rows)[0]


def _slices(table: pd.DataFrame) -> Iterator[Finding]:
    if table.empty:
        yield _finding("RV17", "not applicable", "review.slices names no attribute, or no outcomes are known")
        return
    judged = table[table["verdict"] != TOO_FEW]
    differing = judged[judged["verdict"] == DIFFERS]
    few = f"; {len(table) - len(judged)} have too few leads" if len(judged) < len(table) else ""
    if differing.empty:
        yield _finding("RV17", "passed" if len(judged) else "not applicable", f"{len(judged)} slices were judged{few}")
    for row in as_rows(differing):
        evidence = (
            f"{inert(row['level'])}: {row['rate']:.1%} of {row['leads']:,} leads converted, "
            f"{row['mean_probability']:.1%} were said"
        )
        yield _finding("RV17", "warn", evidence, str(row["attribute"]))


def _alike(found: Assessment) -> Finding:
    if found.alike is not None:
        return _finding("RV19", "warn", str(found.alike))
    if not found.level.is_known:
        return _finding("RV19", "not applicable", "no outcome is known")
    return _finding("RV19", "passed", "there are outcomes of both kinds, or too few leads to expect them")


def acceptance_finding(before: pd.DataFrame, newest: pd.DataFrame) -> Finding:
    """Return whether sales accept the leads of the last days, as many as a period has, as they accepted those before.

    Parameters
    ----------
    before, newest
        Tables of `leadml.stages.acceptance.acceptance_table`, empty if no lead was handed over.
    """
    if newest.empty or np.isnan(newest["acceptance"].iloc[0]):
        return _finding("RV18", "not applicable", "sales decided on no lead of the last days")
    now = as_rows(newest)[0]
    decided, low, high = now["accepted"] + now["rejected"], now["acceptance_low"], now["acceptance_high"]
    evidence = (
        f"sales accepted {now['acceptance']:.0%} of the {decided:,} leads of the last days that they decided on "
        f"({low:.0%} to {high:.0%})"
    )
    if before.empty or np.isnan(before["acceptance"].iloc[0]):
        return _finding("RV18", "passed", evidence)
    then = as_rows(before)[0]
    fell = now["acceptance_high"] < then["acceptance_low"]
    return _finding("RV18", "warn" if fell else "passed", f"{evidence}, {then['acceptance']:.0%} before")


def exploration_finding(found: Exploration | None, handed: int) -> Finding:
    """Return whether the outcomes of leads below the cut say what they would do if worked.

    Parameters
    ----------
    found
        What the leads say that were drawn; None where none was, or no outcome is known.
    handed
        How many of the marked leads whose outcomes are known sales were given.
    """
    if found is None or not found.marked:
        return _finding("RV20", "not applicable", "no lead below MQL was marked to be worked, or no outcome is known")
    evidence = (
        f"if worked, {found.rate:.1%} of the leads below MQL would convert ({found.low:.1%} to {found.high:.1%}), by "
        f"{found.marked:,} marked leads of {found.leads:,}, of which sales were given {handed:,}; of those that were "
        f"not marked {found.naive:.1%} did"
    )
    return _finding("RV20", "warn" if found.is_contradicted else "passed", evidence)
