"""A suspicion becomes a finding that stops or warns; where it is accepted it warns, with all its evidence."""

from __future__ import annotations

import pytest

from leadml.leads.judge.findings import Finding
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams

STOP = Suspicion("LK1", "stop", "ranks leads with an AUC of 0.99", "duration")
WARN = Suspicion("LK4", "warn", "is filled in for 90% of those who converted", "visits_7d")


def test_more_evidence_is_added_and_none_is_lost() -> None:
    """In the order in which it was found; nothing else changes."""
    more = STOP.with_evidence("one").with_evidence("two")

    assert more.evidence == "ranks leads with an AUC of 0.99; one; two"
    assert (more.code, more.severity, more.field, more.remedy) == ("LK1", "stop", "duration", "")
    assert STOP.evidence == "ranks leads with an AUC of 0.99"


@pytest.mark.parametrize("suspicion", [STOP, WARN])
def test_a_finding_has_the_code_severity_evidence_and_field_of_its_suspicion(suspicion: Suspicion) -> None:
    """Its topic is leaks."""
    finding = suspicion.finding(LeakParams())

    assert (finding.code, finding.severity, finding.evidence, finding.field) == (
        suspicion.code, suspicion.severity, suspicion.evidence, suspicion.field,
    )  # fmt: skip
    assert finding.topic == "leaks"


@pytest.mark.parametrize(
    ("suspicion", "activities", "remedy"),
    [
        (STOP, (), "it is a suspected leak: ask who fills it in whether that happens before or after the deal is"),
        (
            STOP,
            {"duration"},
            "it is a suspected leak: leave out the activities that it counts, or name it in leaks.acc",
        ),
        (
            WARN,
            ("duration",),
            "ask who fills it in whether that happens before or after the deal is decided; if after, move it to",
        ),
        (WARN, ("visits_7d",), "check when its activities are entered: backdated activities need the instant of their"),
    ],
)
def test_the_remedy_is_that_of_a_column_or_of_activities(suspicion: Suspicion, activities: tuple, remedy: str) -> None:
    """Nobody fills in what is counted; a suspicion with a remedy of its own keeps it."""
    assert suspicion.finding(LeakParams(), activities=activities).remedy.startswith(remedy)
    own = Suspicion(suspicion.code, suspicion.severity, "found", suspicion.field, "sort the file")
    assert own.finding(LeakParams(), activities=activities).remedy == "sort the file"


@pytest.mark.parametrize(("suspicion", "end"), [(STOP, "with that reason"), (WARN, "out of features.read_out")])
def test_the_remedy_of_a_derived_field_is_about_its_column(suspicion: Suspicion, end: str) -> None:
    """The file has no column of its name that features.excluded could name."""
    remedy = suspicion.finding(LeakParams(), derived={suspicion.field}).remedy

    assert "ask who fills in the column that it is derived from" in remedy
    assert "take that column out of features.read_out" in remedy
    assert remedy.endswith(end)
    assert "features.excluded" not in remedy
    assert suspicion.finding(LeakParams(), derived={"other"}) == suspicion.finding(LeakParams())


@pytest.mark.parametrize("suspicion", [STOP, WARN])
def test_an_accepted_suspicion_warns_with_evidence_and_reason(suspicion: Suspicion) -> None:
    """There is nothing more to do; another name accepts nothing."""
    finding = suspicion.finding(LeakParams(accept={suspicion.field: "the call comes first"}))

    assert (finding.code, finding.severity, finding.remedy) == (suspicion.code, "warn", "")
    assert finding.evidence == f"{suspicion.evidence}; accepted: the call comes first"
    assert finding.field == suspicion.field
    assert suspicion.finding(LeakParams(accept={"other": "the call comes first"})) == suspicion.finding(LeakParams())


def test_a_finding_is_told_in_whole() -> None:
    """Evidence, the usual remedy of a field that stops, and its name."""
    remedy = (
        "it is a suspected leak: ask who fills it in whether that happens before or after the deal is decided; if "
        "after, move it to features.excluded; if before, name it in leaks.accept with that reason"
    )

    assert STOP.finding(LeakParams()) == Finding("LK1", "stop", "ranks leads with an AUC of 0.99", remedy, "duration")
