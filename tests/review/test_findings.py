"""What a review says it found: each finding warns on what it is about, and says what it could not judge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.reviews import CHOICES, array_scores, version

from leadml.leads.judge.findings import CATALOGUE, Finding
from leadml.review.assess import Assessment, assess
from leadml.review.drift.domain import DomainResult
from leadml.review.evidence.alike import AlikeOutcomes
from leadml.review.evidence.e_detectors import Evidence
from leadml.review.findings import acceptance_finding, evidence_text, review_findings
from leadml.review.performance.slices import DIFFERS, NOT_SHOWN, TOO_FEW
from leadml.review.promises import BROKEN, KEPT, NOT_PROMISED, UNKNOWN
from leadml.review.verdict import days_text

VERSION = version(89)
NOTHING = Evidence(np.empty(0, np.int64), np.empty(0))


@pytest.fixture(scope="module")
def assessed() -> Assessment:
    """Return what is said of a version that holds, of two periods whose outcomes are known."""
    return assess(array_scores(60, 1), VERSION, CHOICES, seed=0)


def _findings(found: Assessment, *, days: int | None = 0, **changed: Any) -> dict[str, list[Finding]]:
    """Return the findings by code, some figures changed."""
    by_code: dict[str, list[Finding]] = {}
    for finding in review_findings(replace(found, **changed), VERSION, CHOICES, days=days):
        by_code.setdefault(finding.code, []).append(finding)
    return by_code


def _one(found: Assessment, code: str, **changed: Any) -> tuple[str, str]:
    """Return severity and evidence of the only finding of a code."""
    (finding,) = _findings(found, **changed)[code]
    return finding.severity, finding.evidence


def test_a_version_that_holds_passes(assessed: Assessment) -> None:
    """Nothing warns; every code of a review of outcomes is there, in the order of the catalogue, each with a title."""
    found = review_findings(assessed, VERSION, CHOICES, days=0)
    codes = list(dict.fromkeys(finding.code for finding in found))

    assert codes == [
        code for code in CATALOGUE if code.startswith("RV") and int(code[2:]) >= 8 and code not in {"RV18", "RV20"}
    ]
    assert {finding.severity for finding in found} == {"passed", "not applicable"}
    assert {finding.remedy for finding in found} == {""}


def test_that_no_lead_is_scored_any_more_is_said(assessed: Assessment) -> None:
    """From the day after the longest usual pause on."""
    for idle, severity in ((assessed.idle_limit, "passed"), (assessed.idle_limit + 1, "warn")):
        found = replace(assessed, idle=idle)
        assert found.is_idle == (severity == "warn")
        days = f"{idle} days ago; up to {assessed.idle_limit} days are usual"
        assert _one(found, "RV21") == (severity, f"leads were last scored {days}")


def test_where_nothing_is_known_nothing_passes(assessed: Assessment) -> None:
    """But the conversions, which are too few, and that leads are scored; "not applicable" is not "passed"."""
    empty = pd.DataFrame()
    found = _findings(
        assessed, domain=None, conversions=0, level=NOTHING, ranking=NOTHING, promises=empty, beside=empty,
        realised=empty, slices=empty,
    )  # fmt: skip

    assert {code: each[0].severity for code, each in found.items()} == {
        code: {"RV9": "warn", "RV21": "passed"}.get(code, "not applicable") for code in found
    }


def test_outcomes_that_stopped_warn(assessed: Assessment) -> None:
    """With the leads that have none."""
    alike = AlikeOutcomes(20_000, 500, 0, 30.0)

    assert _one(assessed, "RV19", alike=alike) == ("warn", str(alike))


def test_a_warning_says_what_to_do(assessed: Assessment) -> None:
    """The remedy of the catalogue, as the end of a sentence."""
    (finding,) = _findings(assessed, domain=DomainResult(0.7, 0.65, 0.75, ("source", "size")))["RV8"]

    assert finding.severity == "warn"
    assert finding.evidence == (
        "a classifier tells leads of the newest period from those before with AUC 0.70 (0.65 to 0.75), most by "
        "source, size; 0.6 is the limit"
    )
    assert finding.remedy == CATALOGUE["RV8"].remedy[0].lower() + CATALOGUE["RV8"].remedy[1:-1]
    assert _one(assessed, "RV8", domain=DomainResult(0.62, 0.59, 0.65, ()))[0] == "passed"


def test_few_conversions_say_when_there_will_be_enough(assessed: Assessment) -> None:
    """Whatever the verdict is; as many as are needed are enough."""
    few = "99 conversions in the newest two periods of outcomes, and 100 are needed: "

    assert _one(assessed, "RV9", conversions=99, days=1) == ("warn", f"{few}in 1 day there will be as many")
    assert _one(assessed, "RV9", conversions=99, days=12) == ("warn", f"{few}in 12 days there will be as many")
    never = f"{few}at the present rate two periods never have as many"
    assert _one(assessed, "RV9", conversions=99, days=None) == ("warn", never)
    assert _one(assessed, "RV9", conversions=100)[0] == "passed"
    assert days_text(0) == "0 days"


@pytest.mark.parametrize(("code", "name"), [("RV10", "level"), ("RV11", "ranking")])
def test_evidence_warns_from_the_limit_on(assessed: Assessment, code: str, name: str) -> None:
    """On any day, not only on the last; evidence without end is a number all the same."""
    day = np.array([1, 2, 3])
    for value, severity in ((99.9, "passed"), (100.1, "warn")):
        changed = {name: Evidence(day, np.log([1.0, value, 2.0]))}
        said = f"the evidence against the {name} was at most {evidence_text(value)}; 100 is the limit"
        assert _one(assessed, code, **changed) == (severity, said)
    assert _one(assessed, code, **{name: Evidence(day, np.array([0.0, 5000.0, 0.0]))})[0] == "warn"
    assert _one(assessed, code, **{name: Evidence(day, np.full(3, -np.inf))})[0] == "not applicable"


def test_cuts_are_named_with_what_they_promised(assessed: Assessment) -> None:
    """A broken promise warns; a cut whose rule promises nothing, or of which nothing is known, is not judged."""
    names = ["stage", "cut", "leads", "precision", "promised_precision", "precision_verdict"]
    rows = [
        ("IQL", 0.1, 500, 0.2, np.nan, NOT_PROMISED),
        ("MQL", 0.2, 0, np.nan, 0.3, UNKNOWN),
        ("SQL", 0.3, 90, 0.1, 0.4, BROKEN),
    ]
    shares = {"share": [0.5, 0.2, 0.1], "promised_share": [0.5, np.nan, 0.3]}
    table = pd.DataFrame(rows, columns=names).assign(**shares, share_verdict=[KEPT, NOT_PROMISED, BROKEN])
    found = _findings(assessed, promises=table)

    assert [finding.severity for finding in found["RV12"]] == ["not applicable", "not applicable", "warn"]
    assert [finding.evidence for finding in found["RV12"]] == [
        "20.0% of 500 leads above the cut of IQL converted; the rule of the cut promises no share",
        "no outcome is known of a lead above the cut of MQL; promised were 30.0%",
        "10.0% of 90 leads above the cut of SQL converted; promised were 40.0%",
    ]
    assert [finding.severity for finding in found["RV13"]] == ["passed", "not applicable", "warn"]
    assert found["RV13"][2].evidence == (
        "10.0% of the leads of the newest 30 days of scores are above the cut of SQL; promised were 30.0%"
    )


def _beside(held: list[bool], period: str = "2026-01-01") -> pd.DataFrame:
    size = len(held)
    return pd.DataFrame(
        {
            "period": period, "figure": "roc_auc", "stage": "", "estimated": 0.7, "estimated_low": 0.6,
            "estimated_high": 0.8, "realised": np.where(held, 0.7, 0.5), "error": np.where(held, 0.0, -0.2),
            "held": held,
        },
        index=range(size),
    )  # fmt: skip


def test_one_estimate_in_ten_may_fail(assessed: Assessment) -> None:
    """More than a quarter of the newest period warn, and more than one; an older period does not count."""
    severities = [_one(assessed, "RV14", beside=_beside([False] * bad + [True] * (8 - bad)))[0] for bad in range(4)]

    assert severities == ["passed", "passed", "passed", "warn"]
    assert _one(assessed, "RV14", beside=_beside([False, True]))[0] == "passed"
    old = pd.concat([_beside([False] * 8, "2025-12-02"), _beside([True] * 8)], ignore_index=True)
    assert _one(assessed, "RV14", beside=old) == ("passed", "all 8 estimates of the period from 2026-01-01 held")
    said = _one(assessed, "RV14", beside=_beside([False] * 8))[1]
    assert said.endswith("roc auc was estimated as 0.700 (0.600 to 0.800) and was 0.500")


def _realised(*periods: tuple[float, float]) -> pd.DataFrame:
    """Return rate and mean probability of some periods, each known to two points."""
    rows = [
        (f"2026-0{number}-01", figure, "", value, value - 0.02, value + 0.02)
        for number, pair in enumerate(periods, start=1)
        for figure, value in zip(("rate", "mean_probability"), pair, strict=True)
    ]
    return pd.DataFrame(rows, columns=["period", "figure", "stage", "value", "low", "high"])


@pytest.mark.parametrize(("rate", "severity"), [(0.18, "passed"), (0.25, "passed"), (0.27, "warn"), (0.10, "warn")])
def test_another_rate_warns_from_the_limit_on(assessed: Assessment, rate: float, severity: str) -> None:
    """In the evaluation 18% converted; 0.2 in Cohen's h are about 8 points more or 7 less."""
    found = _one(assessed, "RV15", realised=_realised((rate, 0.18)))
    size = 2 * abs(np.arcsin(np.sqrt(rate)) - np.arcsin(np.sqrt(0.18)))

    assert found[0] == severity
    assert f"18.0% in the evaluation; the size of the change is {size:.2f}, the limit 0.2" in found[1]


@pytest.mark.parametrize(("newest", "severity"), [((0.2, 0.3), "warn"), ((0.3, 0.3), "passed"), ((0.1, 0.2), "passed")])
def test_scores_that_rise_alone_warn(assessed: Assessment, newest: tuple[float, float], severity: str) -> None:
    """Not where conversions rise with them, and not where conversions fall and the scores stay."""
    assert _one(assessed, "RV16", realised=_realised((0.2, 0.2), newest))[0] == severity
    assert _one(assessed, "RV16", realised=_realised(newest))[0] == "not applicable"


def test_slices_that_differ_are_named(assessed: Assessment) -> None:
    """What a stranger wrote is shown inert; slices with few leads are counted."""
    names = ["attribute", "level", "leads", "rate", "mean_probability", "verdict"]
    rows = [
        ("country", "FI\x1b[31m\n<script>", 1500, 0.1, 0.2, DIFFERS),
        ("country", "SE", 500, 0.2, 0.2, NOT_SHOWN),
        ("country", "NO", 5, np.nan, np.nan, TOO_FEW),
    ]
    table = pd.DataFrame(rows, columns=names)
    (finding,) = _findings(assessed, slices=table)["RV17"]

    assert (finding.severity, finding.field) == ("warn", "country")
    assert finding.evidence == "FI\\x1b[31m\\n<script>: 10.0% of 1,500 leads converted, 20.0% were said"
    assert _one(assessed, "RV17", slices=table[1:]) == ("passed", "1 slices were judged; 1 have too few leads")
    assert _one(assessed, "RV17", slices=table[2:])[0] == "not applicable"


def _accepted(rate: float, decided: int = 100) -> pd.DataFrame:
    row = {"accepted": round(rate * decided), "rejected": decided - round(rate * decided), "acceptance": rate}
    return pd.DataFrame([{**row, "acceptance_low": rate - 0.05, "acceptance_high": rate + 0.05}])


def test_sales_that_accept_fewer_leads_warn() -> None:
    """Surely fewer than before, that is; without decisions nothing is judged."""
    fell, same = acceptance_finding(_accepted(0.8), _accepted(0.6)), acceptance_finding(_accepted(0.8), _accepted(0.75))
    empty, undecided = pd.DataFrame(), _accepted(0.5).assign(acceptance=np.nan)

    assert (fell.severity, same.severity) == ("warn", "passed")
    assert fell.evidence == (
        "sales accepted 60% of the 100 leads of the last days that they decided on (55% to 65%), 80% before"
    )
    assert fell.remedy
    assert [acceptance_finding(before, _accepted(0.6)).severity for before in (empty, undecided)] == ["passed"] * 2
    for nothing in (empty, undecided):
        found = acceptance_finding(_accepted(0.8), nothing)
        assert (found.severity, found.remedy) == ("not applicable", "")
