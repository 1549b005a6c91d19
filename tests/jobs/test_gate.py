"""A version beside the one in use, on later leads of a stream: what passes, what is refused, and what is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.reviews import FIRST, at, before, flat_project, let_outcomes_in, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import BundleError, LeadmlError
from leadml.jobs.contest import labelled_leads, training_end
from leadml.jobs.gate import judge_version
from leadml.jobs.gate_records import DECIDED, GATE, Gated, judged_before, keep_answer
from leadml.jobs.places import Places
from leadml.jobs.promote import Approval, promote, roll_back
from leadml.jobs.recalibrate import newest_periods, recalibrated
from leadml.jobs.train import train
from leadml.publish.store.decisions import decisions_of
from leadml.publish.store.opening import reading
from leadml.review.gate.judge import EARLY

pytestmark = pytest.mark.slow
FEW = "features.fit={field_1: number, channel: category}"
OTHER = "features.fit={field_4: number, channel: category}"
SHARE = "stages.sql={rule: share, top: 0.1}"
DAYS = 100
LEADS = 50 * DAYS


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project with later leads; version 1 reads one field and is in use, 2 and 3 read all.

    They differ in their seed. Version 4 reads a field that says less.
    """
    project = flat_project(tmp_path_factory.mktemp("gate") / "project")
    for changed in ((FEW,), (), ("split.seed=1",), (OTHER, "split.seed=2")):
        opened = _opened(project.root, *changed)
        train(opened, now=at(0), progress=silent, accept_weak="a test")
    let_outcomes_in(project, stream().days(DAYS, seed=5))
    return project.root


def _opened(root: Path, *overrides: str) -> Places:
    return Places.open(root / "params.yaml", [SHARE, *overrides])


@pytest.fixture
def project(versions: Path, tmp_path: Path) -> Places:
    """Return a copy of it."""
    return _opened(shutil.copytree(versions, tmp_path / "project"))


def _judged(project: Places, version: str, day: float = DAYS + 1) -> Gated:
    return judge_version(project, version, now=at(day), progress=silent)


def _kept(project: Places) -> list[dict[str, Any]]:
    with reading(str(project.store_url)) as store:
        return [] if store is None else store.read(lambda connection: decisions_of(connection, GATE))


def test_a_version_that_is_better_on_later_leads_passes(project: Places) -> None:
    """The answer is kept with the leads that gave it, and says that it is a change."""
    found = _judged(project, "2")
    assert (found.answer, found.kind, found.passes, found.look) == ("better", "change", True, 1)
    assert found.figures["leads"] == LEADS
    assert found.figures["e_value"] > EARLY
    assert pd.Timestamp(found.since) < FIRST <= pd.Timestamp(found.until)
    assert [Gated.from_json(each) for each in _kept(project)] == [found]
    assert "version 2 beside version 1, a change: better" in found.line


def test_a_version_that_passed_is_put_in_use_without_being_judged_again(project: Places) -> None:
    """One answer is kept."""
    _judged(project, "2")
    assert promote(project, "2", Approval(), now=at(DAYS + 2), progress=silent).version == "2"
    assert len(_kept(project)) == 1
    assert project.registry.champion() == "2"


def test_a_promotion_judges_first(project: Places) -> None:
    """A version that is worse stays out, unless a person has a reason."""
    with pytest.raises(LeadmlError, match=r"version 4 beside version 1, a change: worse: its log loss .* --ungated"):
        promote(project, "4", Approval(), now=at(DAYS + 1), progress=silent)
    with pytest.raises(LeadmlError, match=r"reason \(--reason\) must say why the gate is passed over"):
        promote(project, "4", Approval(ungated=True), now=at(DAYS + 1), progress=silent)
    assert (project.registry.champion(), [each["answer"] for each in _kept(project)]) == ("1", ["worse"])
    promote(project, "4", Approval("Ann", "a trial", ungated=True), now=at(DAYS + 1), progress=silent)
    assert project.registry.champion() == "4"


def test_leads_that_judged_a_change_do_not_judge_another(project: Places) -> None:
    """The next one is judged on leads that came later; there are none yet."""
    assert _judged(project, "2").answer in DECIDED
    later = _judged(project, "3")
    assert (later.answer, later.figures) == ("not enough evidence", {"leads": 0})
    let_outcomes_in(project, stream().days(DAYS, seed=5), _later(stream().days(80, seed=6), DAYS))
    later = _judged(project, "3", 2 * DAYS)
    assert later.answer in DECIDED
    assert later.figures["leads"] == 80 * 50
    assert later.since == _kept(project)[0]["until"]


def _later(leads: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return leads of a stream that came later, with ids of their own."""
    return leads.assign(day=leads["day"] + days, lead_id="later " + leads["lead_id"].astype(str))


def test_one_pair_is_judged_as_often_as_there_are_looks(project: Places) -> None:
    """A version that did not win does not try again."""
    _judged(project, "2")
    with pytest.raises(LeadmlError, match=r"not be judged again beside version 1: it was on 2025-04-12.*looks is 1"):
        _judged(project, "2")


def test_changes_are_counted_over_a_year(project: Places) -> None:
    """One too many is refused until the oldest is a year ago."""
    one = _opened(project.root, "gate.attempts=1")
    _judged(one, "2")
    refused = _judged(one, "3")
    assert (refused.answer, refused.figures) == ("refused", {})
    assert "1 changes were judged in the last 365 days" in refused.line
    assert "the next may be on 2026-04-13" in refused.line
    assert _judged(one, "3", DAYS + 368).answer == "not enough evidence"


def test_only_few_leads_give_no_answer_but_a_day(project: Places) -> None:
    """Nothing is said of the gain, and the leads may judge later."""
    let_outcomes_in(project, stream().days(4, seed=5))
    found = _judged(project, "2", 5)
    assert (found.answer, sorted(found.figures)) == ("not enough evidence", ["leads", "needed"])
    assert pd.Timestamp(found.enough_on, tz="UTC") > FIRST + pd.Timedelta(days=4)
    assert f"expected by {found.enough_on}" in found.line
    let_outcomes_in(project, stream().days(DAYS, seed=5))
    assert _judged(project, "2").answer == "better"


def test_without_later_leads_there_is_no_evidence(project: Places) -> None:
    """No time is compared then."""
    before().to_csv(project.root / "leads.csv", index=False)
    assert (_judged(project, "2", 1).answer, _judged(project, "2", 1).enough_on) == ("not enough evidence", "")


def test_a_refresh_is_not_held_to_a_gain(project: Places) -> None:
    """The same recipe passes if it is not surely worse; it is judged on the leads that it held out."""
    train(_opened(project.root, FEW), now=at(DAYS), progress=silent, accept_weak="a test")
    found = _judged(project, "5")
    assert (found.kind, found.answer) == ("refresh", "not worse")
    assert 0 < found.figures["leads"] < LEADS


@pytest.mark.parametrize(
    ("choice", "match"),
    [
        ("gate.megabytes=0.01", "megabytes, and gate.megabytes is 0.01"),
        ("stages.sql={rule: precision, at_least: 0.999, confidence: 0.99}", None),
    ],
)
def test_choices_of_the_gate_refuse(project: Places, choice: str, match: str | None) -> None:
    """A bundle that is too large; cuts that no version can solve refuse nobody."""
    found = _judged(_opened(project.root, choice), "2")
    if match is None:
        assert found.answer == "better"
    else:
        assert (found.answer, match in found.line) == ("refused", True)


def test_a_version_whose_fields_are_gone_is_refused(project: Places) -> None:
    """The version in use still reads its own."""
    leads = pd.read_csv(project.root / "leads.csv")
    leads.drop(columns="field_3").to_csv(project.root / "leads.csv", index=False)
    found = _judged(project, "2")
    assert (found.answer, found.passes) == ("refused", False)
    assert "leads cannot be read for it" in found.line
    assert "field_3" in found.line


def test_what_is_judged_must_be_another_version(project: Places) -> None:
    """Neither the one in use, nor none."""
    for version in ("1", "9", "../2"):
        with pytest.raises(LeadmlError, match="there are 2, 3, 4"):
            _judged(project, version)
    (project.registry.folder / "champion").unlink()
    with pytest.raises(BundleError, match="must have a version in use"):
        _judged(project, "2")


def test_another_answer_meanwhile_stops(project: Places) -> None:
    """An answer is not kept if another was kept since the earlier ones were read: both are of the same leads."""
    before = judged_before(project, now=at(0), progress=silent)
    found = _judged(project, "2")
    with pytest.raises(LeadmlError, match="another version was judged meanwhile"):
        keep_answer(project, found, before, progress=silent)
    assert len(_kept(project)) == 1


def test_the_store_has_the_answers_of_the_target_alone(project: Places) -> None:
    """Another target has its own attempts and leads."""
    _judged(project, "2")
    other = replace(project, target="lost")
    assert [each.target for each in judged_before(project, now=at(0), progress=silent)] == ["won"]
    assert judged_before(other, now=at(0), progress=silent) == []


def test_a_pass_holds_for_a_period_and_until_a_rollback(project: Places) -> None:
    """After that a person must have a reason."""
    _judged(project, "2")
    with pytest.raises(LeadmlError, match=r"version 2: it passed on 2025-04-12, which holds for a period"):
        promote(project, "2", Approval(), now=at(DAYS + 40), progress=silent)
    promote(project, "2", Approval(), now=at(DAYS + 2), progress=silent)
    roll_back(project, Approval("Ann"), now=at(DAYS + 3), progress=silent)
    with pytest.raises(LeadmlError, match=r"which holds for a period .* and until a rollback \(to use it all the same"):
        promote(project, "2", Approval(), now=at(DAYS + 4), progress=silent)
    assert project.registry.champion() == "1"


def test_the_own_look_of_a_version_is_no_other_attempt(project: Places) -> None:
    """With two looks and one attempt, it has its second look; a version without a look left is told so."""
    two = _opened(project.root, "gate.looks=2", "gate.attempts=1", "gate.floor=0.5")
    assert (_judged(two, "2").answer, _judged(two, "2").look) == ("no better", 2)
    assert [each["answer"] for each in _kept(project)] == ["no better", "not enough evidence"]
    assert "1 changes were judged" in _judged(two, "3").line


def test_a_recalibrated_version_is_not_judged_on_the_leads_that_corrected_it(project: Places) -> None:
    """Though its recipe is the same, and its holdout is older."""
    model = load(project.registry.path("1"))
    leads = labelled_leads(model, project, since=training_end(model), now=at(DAYS), progress=silent)
    both = pd.concat(newest_periods(model, leads, days=30), ignore_index=True)
    until = int(leads["mature_at"].max())
    moved = recalibrated(model.bundle, 0.1, both, project.params, at=at(DAYS), used_until=until)
    version, _ = project.registry.add(moved)
    found = _judged(project, version)
    assert (found.kind, found.answer, found.figures["leads"]) == ("refresh", "not enough evidence", 0)


def test_versions_with_other_labels_are_not_compared(project: Places) -> None:
    """What converted means must be the same."""
    other = _opened(project.root, "target.positive=['0']", "target.negative=['1']", "split.seed=7")
    version = train(other, now=at(DAYS), progress=silent, accept_weak="a test").model.version
    with pytest.raises(LeadmlError, match="both versions must predict the same, got other choices of the target"):
        _judged(project, version)


def test_a_version_that_leads_refused_has_used_them(project: Places) -> None:
    """A slice that is worse is an answer of these leads, too."""
    found = Gated.from_json({**_judged(project, "4").to_json(), "answer": "refused"})
    assert found.is_decided_change
    assert not replace(found, until="").is_decided_change


def test_a_rule_that_reads_a_field_of_neither_version_refuses_nobody(project: Places) -> None:
    """It has no solution by the version in use either."""
    rule = "stages.sql={rule: expected_value, amount: field_2, contact_cost: 1}"
    assert _judged(_opened(project.root, rule), "2").answer == "better"
