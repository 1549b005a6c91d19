"""The report: its headline follows the evaluation, and text from files is never executed."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.stores import entry

from leadml.jobs.places import Places
from leadml.jobs.report import build_report, headline, warnings
from leadml.jobs.train import Trained
from leadml.leads.check.contract import Field
from leadml.leads.judge.findings import Finding
from leadml.leads.split import Holdout
from leadml.model.judge.evaluation import Evaluation
from leadml.publish.page import render
from leadml.publish.store.batch import StoredBatch

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}$x$ &amp; ＝cmd 中文'
BATCH = StoredBatch(
    **vars(entry(batch_id="b", scored_at="2026-01-02T00:00:00+00:00")), batch=1, state="complete", scored=9,
    not_scored=1, sha256=None,
)  # fmt: skip


class Elements(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag and its attributes."""
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def evaluation_where(evaluation: Evaluation, ends: dict[str, tuple[float, float]]) -> Evaluation:
    """Return an evaluation whose differences in log loss have the given intervals."""
    models = evaluation.models.copy()
    for model, interval in ends.items():
        is_model = (models["model"] == model) & (models["metric"] == "log_loss")
        models.loc[is_model, ["difference_low", "difference_high"]] = interval
    return replace(evaluation, models=models)


LESS, MORE, EITHER = (-0.2, -0.1), (0.1, 0.2), (-0.1, 0.0)


@pytest.mark.parametrize(
    ("ends", "start"),
    [
        (
            (LESS, LESS, LESS, LESS),
            "The model is better than every baseline: base rate, points rule, Odoo scoring and logistic regression.",
        ),
        (
            (LESS, LESS, LESS, EITHER),
            "The model is better than base rate, points rule and Odoo scoring; it cannot be told from logistic regr",
        ),
        (
            (EITHER, MORE, LESS, EITHER),
            "The model is worse than points rule; it is better than Odoo scoring; it cannot be told from base rate and",
        ),
        ((EITHER, EITHER, EITHER, EITHER), "The model cannot be told from base rate, points rule, Odoo scoring and l"),
    ],
)
def test_the_headline_says_how_the_model_compares_with_each_baseline(
    trained_project: tuple[Places, Trained], ends: tuple[tuple[float, float], ...], start: str
) -> None:
    """The model is better or worse only if the whole interval of the difference lies on one side of 0."""
    names = ("base rate", "points rule", "Odoo scoring", "logistic regression")

    assert headline(
        evaluation_where(trained_project[1].model.evaluation, dict(zip(names, ends, strict=True)))
    ).startswith(start)


@pytest.mark.parametrize(
    ("low", "high", "words"), [(0.5, 0.9, "too far apart"), (1.1, 1.5, "too close"), (0.9, 1.1, "")]
)
def test_a_slope_that_is_surely_not_1_is_said(
    trained_project: tuple[Places, Trained], low: float, high: float, words: str
) -> None:
    """The interval of the calibration slope decides."""
    bundle = trained_project[1].model.bundle
    metrics = bundle.evaluation.metrics.copy()
    metrics.loc[metrics["metric"] == "calibration_slope", ["low", "high"]] = low, high
    said = warnings(replace(bundle, evaluation=replace(bundle.evaluation, metrics=metrics)))

    assert sum("slope" in text for text in said) == bool(words)
    assert not words or any(words in text for text in said)


def test_a_stage_that_no_lead_reaches_is_said(trained_project: tuple[Places, Trained]) -> None:
    """By its share of the holdout."""
    bundle = trained_project[1].model.bundle
    stages = bundle.evaluation.stages.copy()
    is_share = (stages["stage"] == "SQL") & (stages["figure"] == "share")
    assert is_share.sum() == 1
    stages.loc[is_share, ["value", "low", "high"]] = 0.0
    said = warnings(replace(bundle, evaluation=replace(bundle.evaluation, stages=stages)))

    assert not any("No lead" in text for text in warnings(bundle))
    assert sum("No lead of the holdout reaches SQL" in text for text in said) == 1


@pytest.mark.parametrize(
    ("mean", "low", "high", "named"),
    [
        (0.041, 0.02, 0.035, True),
        (0.041, 0.02, 0.045, False),
        (0.027, 0.0255, 0.0265, False),
        (0.02, 0.022, 0.03, True),
    ],
)
def test_the_headline_names_a_mean_probability_that_differs_from_the_rate(
    trained_project: tuple[Places, Trained], mean: float, low: float, high: float, *, named: bool
) -> None:
    """It must lie outside the interval of the rate and differ by a tenth or more; smaller differences are not named."""
    metrics = trained_project[1].model.evaluation.metrics.set_index("metric")
    metrics.loc["mean_probability", "value"] = mean
    metrics.loc["rate", ["value", "low", "high"]] = 0.026, low, high
    metrics.loc["ece", ["value", "low"]] = 0.01, 0.0
    evaluation = replace(trained_project[1].model.evaluation, metrics=metrics.reset_index(), ece_by_chance=0.02)

    assert (f"the mean prediction was {mean:.1%}, and 2.6% converted." in headline(evaluation)) == named


@pytest.mark.parametrize(("value", "low", "named"), [(0.05, 0.021, True), (0.05, 0.019, False), (0.04, 0.03, False)])
def test_the_headline_names_a_large_calibration_error(
    trained_project: tuple[Places, Trained], value: float, low: float, *, named: bool
) -> None:
    """It must be more than twice the error by chance, with an interval above the error by chance."""
    metrics = trained_project[1].model.evaluation.metrics.set_index("metric")
    metrics.loc["ece", ["value", "low"]] = value, low
    metrics.loc[["mean_probability", "rate"], "value"] = 0.1834, 0.113
    metrics.loc["rate", ["low", "high"]] = 0.05, 0.2
    evaluation = replace(trained_project[1].model.evaluation, metrics=metrics.reset_index(), ece_by_chance=0.02)
    text = "But its probabilities were wrong on the holdout: the mean prediction was 18.3%, and 11.3% converted."

    assert headline(evaluation).endswith(text) == named


def test_the_page_of_dated_leads_shows_labels_and_counts_snapshots(trained_dated: tuple[Places, Trained]) -> None:
    """Topics have the labels that reasons use, not their names, and rows are called snapshots."""
    page = render(build_report(trained_dated[1].model, batch=None))

    for text in (
        "days since the lead came",
        "activity of any kind",
        "title rank",
        "email opens",
        "% of snapshots worked",
    ):
        assert text in page
    for text in (
        "email_open",
        "lead_age",
        "title_rank",
        "leads of the holdout",
        "% of leads worked",
        "Of leads that",
        "among the best 20% of leads",
    ):
        assert text not in page


def test_limits_of_the_evidence_are_warnings(trained_project: tuple[Places, Trained]) -> None:
    """Few leads, a random split, missing ids and accepted leaks are warnings; a split by time is none."""
    bundle = trained_project[1].model.bundle
    weak = replace(
        bundle,
        record=replace(bundle.record, is_small=True, accepted_leaks={"duration": "for a reason"}),
        leads=replace(bundle.leads, contract=replace(bundle.leads.contract, lead_id=None)),
    )
    timed = replace(bundle, leads=replace(bundle.leads, holdout=Holdout(0.25, 0, since=1)))

    assert [text.split()[0] for text in warnings(weak)] == ["Rule", "The", "No", "duration"]
    assert warnings(timed) == []


def test_saved_cuts_have_the_figures_of_the_leads_they_were_solved_on(trained_project: tuple[Places, Trained]) -> None:
    """The evaluation on the holdout is that of the cuts of the training, so none of its figures is shown for them."""
    model = trained_project[1].model
    cuts = (replace(model.bundle.stages.cuts[0], probability=0.2, rule="another"),)
    bundle = replace(model.bundle, stages=replace(model.bundle.stages, cuts=cuts))
    saved, plain = (build_report(each, batch=None) for each in (replace(model, bundle=bundle, cuts_number=3), model))
    (section,) = [section for section in saved.sections if section.title == "Stages"]

    assert section.tables[0].rows[0][:3] == ("IQL", "0.2000", "another")
    assert "saved after the training" in section.text[0]
    assert saved.title.startswith("subscribed: version 1.3, ")
    assert saved.warnings == plain.warnings


def test_a_cut_that_lets_in_another_share_of_the_holdout_is_told(trained_project: tuple[Places, Trained]) -> None:
    """The candidates are those of other leads."""
    bundle = trained_project[1].model.bundle
    table = bundle.candidates.assign(share=bundle.candidates["share"] / 8)
    told = warnings(replace(bundle, candidates=table))

    assert [text[:18] for text in told if "of the holdout, and" in text] == [
        "The cut of IQL let", "The cut of MQL let", "The cut of SQL let"
    ]  # fmt: skip
    assert not [text for text in warnings(bundle) if "of the holdout, and" in text]


def test_the_page_has_every_section(trained_project: tuple[Places, Trained]) -> None:
    """Headline, importance, stages, gain, calibration, baselines and model card, with the figures."""
    page = render(build_report(trained_project[1].model, batch=BATCH))

    titles = [
        "What drives conversion",
        "Stages",
        "What contacting the best leads first brings",
        "Are the probabilities right?",
        "Comparison with simpler methods",
        "Model card",
    ]
    for text in (*titles, "known only after the call", "leads in the last batch, 2026-01-02"):
        assert text in page
    assert page.count("<svg") == 4


def test_the_page_loads_nothing_and_runs_nothing(trained_project: tuple[Places, Trained]) -> None:
    """The page has no address, script, event handler or form."""
    page = render(build_report(trained_project[1].model, batch=None))
    elements = Elements()
    elements.feed(page)

    assert "http" not in page.replace("http-equiv", "")
    assert not elements.tags & {"script", "img", "iframe", "object", "embed", "form", "link", "base"}
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    assert all(value.startswith("#") for name, value in elements.attributes if name in {"href", "xlink:href", "src"})


def test_text_from_files_is_escaped(trained_project: tuple[Places, Trained]) -> None:
    """HTML in names of fields, targets, files, reasons and findings is shown, not executed."""
    model = trained_project[1].model
    bundle = model.bundle
    record = replace(
        bundle.record,
        data=replace(bundle.record.data, source=HOSTILE),
        excluded={HOSTILE: HOSTILE},
        accepted_leaks={HOSTILE: HOSTILE},
        findings=(Finding("LK1", "warn", HOSTILE),),
    )
    importance = bundle.evaluation.importance.assign(field=HOSTILE)
    contract = replace(bundle.leads.contract, fields=(Field(HOSTILE, "number", "fit"),))
    hostile = replace(
        bundle,
        target=HOSTILE,
        evaluation=replace(bundle.evaluation, importance=importance),
        record=record,
        leads=replace(bundle.leads, contract=contract),
    )
    elements, expected = Elements(), Elements()
    elements.feed(
        render(build_report(replace(model, bundle=hostile, folder=Path(HOSTILE.replace("/", "|"))), batch=BATCH))
    )
    expected.feed(render(build_report(model, batch=BATCH)))

    assert elements.tags == expected.tags
    assert not [name for name, _ in elements.attributes if name.startswith("on")]


def test_the_same_bundle_makes_the_same_page(trained_project: tuple[Places, Trained]) -> None:
    """The page has the same bytes each time."""
    model = trained_project[1].model

    assert render(build_report(model, batch=BATCH)) == render(build_report(model, batch=BATCH))


def test_undefined_figures_are_shown_as_none(trained_project: tuple[Places, Trained]) -> None:
    """If no lead reaches a cut, its precision is "none", and the page is still drawn."""
    model = trained_project[1].model
    stages = model.evaluation.stages.copy()
    stages.loc[stages["figure"] == "precision", ["value", "low", "high"]] = float("nan")
    bundle = replace(model.bundle, evaluation=replace(model.evaluation, stages=stages))

    assert "none (none to none)" in render(build_report(replace(model, bundle=bundle), batch=None))
