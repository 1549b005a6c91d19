"""The report: its headline follows the evidence, and no word of a stranger runs."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from leadml.jobs.places import Places
from leadml.jobs.report import build_report, headline, warnings
from leadml.jobs.train import Trained
from leadml.leads.check.contract import Field
from leadml.leads.judge.findings import Finding
from leadml.leads.split import Holdout
from leadml.model.judge.evaluation import Evaluation
from leadml.publish.page import render
from leadml.publish.registry import BatchEntry

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}$x$ &amp; ＝cmd 中文'
BATCH = BatchEntry("b", "2026-01-02T00:00:00+00:00", "1", 10, 9, 1, "out.csv")


class Elements(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what opens."""
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def evaluation_where(evaluation: Evaluation, high: dict[str, float]) -> Evaluation:
    """Return an evaluation whose differences in log loss end at the given bounds."""
    models = evaluation.models.copy()
    for model, bound in high.items():
        models.loc[(models["model"] == model) & (models["metric"] == "log_loss"), "difference_high"] = bound
    return replace(evaluation, models=models)


@pytest.mark.parametrize(
    ("high", "says"),
    [
        (
            (-0.1, -0.1, -0.1, -0.1),
            "The model beats every baseline: base rate, points rule, Odoo scoring and log",
        ),
        (
            (-0.1, -0.1, -0.1, 0.0),
            "The model beats base rate, points rule and Odoo scoring, but not clearly",
        ),
        ((0.1, 0.1, 0.1, 0.1), "The model does not clearly beat its baselines: base rate, points rule, Odoo sc"),
    ],
)
def test_the_headline_follows_the_evidence(
    trained_project: tuple[Places, Trained], high: tuple[float, ...], says: str
) -> None:
    """A baseline is beaten only where the whole interval of the difference lies below 0."""
    names = ("base rate", "points rule", "Odoo scoring", "logistic regression")

    assert headline(
        evaluation_where(trained_project[1].model.evaluation, dict(zip(names, high, strict=True)))
    ).startswith(says)


@pytest.mark.parametrize(
    ("mean", "low", "high", "told"),
    [
        (0.041, 0.02, 0.035, True),
        (0.041, 0.02, 0.045, False),
        (0.027, 0.0255, 0.0265, False),
        (0.02, 0.022, 0.03, True),
    ],
)
def test_a_mean_that_was_off_is_told(
    trained_project: tuple[Places, Trained], mean: float, low: float, high: float, *, told: bool
) -> None:
    """Outside what the rate can be, and a tenth of it away or more: of many leads a trifle is no news."""
    metrics = trained_project[1].model.evaluation.metrics.set_index("metric")
    metrics.loc["mean_probability", "value"] = mean
    metrics.loc["rate", ["value", "low", "high"]] = 0.026, low, high
    metrics.loc["ece", ["value", "low"]] = 0.01, 0.0
    evaluation = replace(trained_project[1].model.evaluation, metrics=metrics.reset_index(), ece_by_chance=0.02)

    assert (f"{mean:.1%} was predicted on average, 2.6% converted." in headline(evaluation)) == told


@pytest.mark.parametrize(("value", "low", "told"), [(0.05, 0.021, True), (0.05, 0.019, False), (0.04, 0.03, False)])
def test_probabilities_that_were_off_are_told_beside_the_praise(
    trained_project: tuple[Places, Trained], value: float, low: float, *, told: bool
) -> None:
    """Far off is more than twice what chance gives, with an interval above it; what was said and came true is told."""
    metrics = trained_project[1].model.evaluation.metrics.set_index("metric")
    metrics.loc["ece", ["value", "low"]] = value, low
    metrics.loc[["mean_probability", "rate"], "value"] = 0.1834, 0.113
    metrics.loc["rate", ["low", "high"]] = 0.05, 0.2
    evaluation = replace(trained_project[1].model.evaluation, metrics=metrics.reset_index(), ece_by_chance=0.02)
    said = "But its probabilities were off on the holdout: 18.3% was predicted on average, 11.3% converted."

    assert headline(evaluation).endswith(said) == told


def test_the_page_speaks_plain_words_and_of_snapshots(trained_dated: tuple[Places, Trained]) -> None:
    """Topics are called what reasons call them, and what was counted is what it is."""
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


def test_everything_that_weakens_the_evidence_is_said_first(trained_project: tuple[Places, Trained]) -> None:
    """Few leads, a random split, missing ids and accepted suspects are warnings; a dated split is none."""
    bundle = trained_project[1].model.bundle
    weak = replace(
        bundle,
        record=replace(bundle.record, is_small=True, accepted_leaks={"duration": "for a reason"}),
        leads=replace(bundle.leads, contract=replace(bundle.leads.contract, lead_id=None)),
    )
    timed = replace(bundle, leads=replace(bundle.leads, holdout=Holdout(0.25, 0, since=1)))

    assert [text.split()[0] for text in warnings(weak)] == ["Low", "The", "No", "duration"]
    assert warnings(timed) == []


def test_the_page_holds_every_part(trained_project: tuple[Places, Trained]) -> None:
    """Headline, drivers, stages, gain, reliability, comparison and card are there, with the figures."""
    page = render(build_report(trained_project[1].model, batch=BATCH))

    titles = ["What drives conversion", "Stages", "What working the best first brings", "Are the probabilities true?"]
    for text in (*titles, "Compared with", "Model card", "known only after the call", "leads scored last, 2026-01-02"):
        assert text in page
    assert page.count("<svg") == 4


def test_the_page_loads_nothing_and_runs_nothing(trained_project: tuple[Places, Trained]) -> None:
    """No address, no script, no event, no form: the page stands alone."""
    page = render(build_report(trained_project[1].model, batch=None))
    seen = Elements()
    seen.feed(page)

    assert "http" not in page.replace("http-equiv", "")
    assert not seen.tags & {"script", "img", "iframe", "object", "embed", "form", "link", "base"}
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert all(value.startswith("#") for name, value in seen.attributes if name in {"href", "xlink:href", "src"})


def test_a_strangers_words_are_inert(trained_project: tuple[Places, Trained]) -> None:
    """Names of fields, targets, files, reasons and findings with HTML in them are shown, not run."""
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
    found, plain = Elements(), Elements()
    found.feed(
        render(build_report(replace(model, bundle=hostile, folder=Path(HOSTILE.replace("/", "|"))), batch=BATCH))
    )
    plain.feed(render(build_report(model, batch=BATCH)))

    assert found.tags == plain.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]


def test_the_same_bundle_makes_the_same_page(trained_project: tuple[Places, Trained]) -> None:
    """The page has the same bytes each time."""
    model = trained_project[1].model

    assert render(build_report(model, batch=BATCH)) == render(build_report(model, batch=BATCH))


def test_figures_that_are_not_defined_are_said_so(trained_project: tuple[Places, Trained]) -> None:
    """Where no lead reaches a cut its precision is "none", and the page is still drawn."""
    model = trained_project[1].model
    stages = model.evaluation.stages.copy()
    stages.loc[stages["figure"] == "precision", ["value", "low", "high"]] = float("nan")
    bundle = replace(model.bundle, evaluation=replace(model.evaluation, stages=stages))

    assert "none (none to none)" in render(build_report(replace(model, bundle=bundle), batch=None))
