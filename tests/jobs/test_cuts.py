"""The cuts of a version: what each lets in, what another rule would change, and saved cuts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leadml.bundle.model import Model, load
from leadml.errors import LeadmlError, ParamsError
from leadml.jobs.cuts import asked_rules, difference_table, review_cuts, rule_of
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.params import Params
from leadml.publish.text_tables import cut_table

NOW = "2026-01-01T00:00:00+00:00"
AMOUNTS = {"rule": "expected_value", "amount": "age", "contact_cost": 1}
TrainedProject = tuple[Places, Trained]


@pytest.fixture
def model(trained_project: TrainedProject, tmp_path: Path) -> Model:
    """Return a version that a test may save cuts for."""
    shutil.copytree(trained_project[1].model.folder, tmp_path / "1")
    return load(tmp_path / "1")


@pytest.fixture(scope="module")
def params(trained_project: TrainedProject) -> Params:
    """Return the choices of the project, with money."""
    choices = trained_project[0].params.as_written()
    choices["stages"]["money"] = {"currency": "CHF", "contact_cost": 5, "won_value": 100}
    return type(trained_project[0].params).model_validate(choices)


def test_the_present_cuts_are_shown_with_their_figures(model: Model, params: Params) -> None:
    """Those that they were solved for, nearly: the table of candidates is a sample."""
    review = review_cuts(model, params, now=NOW)

    assert review.present["stage"].tolist() == ["IQL", "MQL", "SQL"]
    assert review.present["share"].tolist()[:2] == [pytest.approx(0.5, abs=0.01), pytest.approx(0.2, abs=0.01)]
    assert (review.proposed, review.difference, review.saved) == (None, None, 0)
    assert "IQL from 0.0" in repr(review)
    assert "<td>SQL</td>" in review._repr_html_()


def test_cuts_that_cannot_be_saved_are_refused_in_one_line(model: Model, params: Params) -> None:
    """For example where a file stands in place of their folder."""
    model.folder.with_name("1.cuts").write_text("", encoding="utf-8")

    with pytest.raises(LeadmlError, match=r"1\.cuts: must be writable, got File exists$"):
        review_cuts(model, params, {"mql": {"rule": "share", "top": 0.3}}, save=True, now=NOW)


def test_another_rule_changes_its_cut_alone_and_nothing_is_saved(model: Model, params: Params) -> None:
    """The difference is told in leads, conversions and money."""
    review = review_cuts(model, params, {"mql": {"rule": "share", "top": 0.3}}, now=NOW)
    (row,) = review.difference.to_dict("records")

    assert review.proposed["probability"].tolist()[::2] == review.present["probability"].tolist()[::2]
    assert row["stage"] == "MQL"
    assert row["leads"] == pytest.approx(100, abs=5)
    assert 0 < row["conversions"] < row["leads"]
    assert row["money"] == pytest.approx(100 * row["conversions"] - 5 * row["leads"])
    assert load(model.folder).cuts == model.cuts
    assert difference_table(review.difference, "CHF").rows[0][3].endswith(" CHF")
    assert cut_table(review.proposed).rows[1][2] == "the best 30% of leads"


def test_a_drop_tells_what_it_saves_and_what_it_loses(model: Model, params: Params) -> None:
    """Fewer leads are called, and fewer convert."""
    review = review_cuts(model, params, {"drop": {"lose_at_most": 0.1}}, now=NOW)
    (row,) = review.difference.to_dict("records")
    dropped = review.proposed.iloc[-1]

    assert (row["stage"], dropped["stage"]) == ("DROP", "DROP")
    assert row["leads"] == pytest.approx(1000 * (dropped["share"] - 1))
    assert -0.1 < row["conversions"] / (dropped["precision"] * dropped["share"] / dropped["recall"] * 1000) < 0
    assert cut_table(review.proposed).rows[-1][0] == "not dropped"


def test_saved_cuts_are_used_from_then_on(model: Model, params: Params, bank_file: Path) -> None:
    """Scores say which; the version itself does not change, and each saving is a version of its own."""
    before = sorted((path.name, path.read_bytes()) for path in model.folder.iterdir())
    for number, top in ((1, 0.3), (2, 0.25)):
        assert review_cuts(model, params, {"mql": {"rule": "share", "top": top}}, save=True, now=NOW).saved == number
    again = load(model.folder)
    leads = pd.read_csv(bank_file).head(50)
    rows = again.score(leads, scored_at=NOW)

    assert (again.version, again.scored_version, again.cuts_number) == ("1", "1.2", 2)
    assert set(rows["model_version"]) == {"1.2"}
    assert again.cuts["MQL"] < model.cuts["MQL"]
    assert [again.cuts[stage] for stage in ("IQL", "SQL")] == [model.cuts[stage] for stage in ("IQL", "SQL")]
    assert set(rows["batch_id"]) != set(model.score(leads, scored_at=NOW)["batch_id"])
    assert sorted((path.name, path.read_bytes()) for path in model.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("rules", "save", "message"),
    [
        ({"mql": {"rule": "precision", "at_least": 0.99}}, False, r"^stages.mql: no cut gives at least 99% convert"),
        ({"mql": {"rule": "share", "top": 0.9}}, False, r"^cuts must rise, got IQL at"),
        (
            {"sql": {"rule": "expected_value", "amount": "age", "contact_cost": 1}},
            False,
            r"^sql: this rule reads a column",
        ),
        (None, True, r"^save \(--save\) must come with a rule whose cut is saved, got none"),
    ],
)
def test_what_cannot_be_tried_is_refused(model: Model, params: Params, rules: Any, *, save: bool, message: str) -> None:
    """And saves nothing."""
    with pytest.raises(LeadmlError, match=message):
        review_cuts(model, params, rules, save=save, now=NOW)
    assert load(model.folder).cuts_number == 0


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("recall=0.8", (None, {"rule": "recall", "at_least": 0.8})),
        ("share=0.1", (None, {"rule": "share", "top": 0.1})),
        ("fixed=0.2", (None, {"rule": "fixed", "probability": 0.2})),
        ("capacity=40/200", (None, {"rule": "capacity", "leads_per_week": 40, "incoming_per_week": 200})),
        ("value=5/200", (None, {"rule": "value", "contact_cost": 5, "won_value": 200})),
    ],
)
def test_a_rule_is_written_in_short(text: str, rule: Any) -> None:
    """A name and its numbers."""
    assert rule_of(text) == rule


@pytest.mark.parametrize("text", ["precison=0.3", "precision", "precision=high", "capacity=40", "drop=1/2"])
def test_a_text_that_is_no_rule_is_refused(text: str) -> None:
    """With what could be written."""
    with pytest.raises(ParamsError, match=r"^rule \(--rule\) must be precision=0.3, recall=0.8, .* got '"):
        rule_of(text)


def test_a_capacity_takes_what_comes_in_from_params(params: Params) -> None:
    """Where they say it; both ways of asking at once are refused."""
    given = {"rule": None, "stage": "sql"}
    assert asked_rules(params, capacity=10, incoming=None, **given) == {
        "sql": {"rule": "capacity", "leads_per_week": 10, "incoming_per_week": 200}
    }
    assert asked_rules(None, capacity=10, incoming=50, **given)["sql"]["incoming_per_week"] == 50
    assert asked_rules(None, capacity=None, incoming=None, **given) == {}
    assert asked_rules(None, rule="drop=0.05", capacity=None, incoming=None, stage="sql") == {
        "drop": {"lose_at_most": 0.05}
    }
    with pytest.raises(ParamsError, match=r"capacity .* must come with incoming"):
        asked_rules(None, capacity=10, incoming=None, **given)
    with pytest.raises(ParamsError, match=r"either rule .* or capacity .* must be given, got both"):
        asked_rules(None, rule="share=0.1", capacity=10, incoming=None, stage="mql")
