"""Write the report of a version.

What enters is a bundle and what was scored with it; what leaves is a report, ready to be rendered.
Every figure is one of the bundle's evaluation, so of leads that the model did not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadml.model.evaluation import LARGER_IS_BETTER, MODEL, Evaluation
from leadml.publish import figures
from leadml.publish.page import Report, Section, Table
from leadml.stages.lifecycle import StagePlan

if TYPE_CHECKING:
    from leadml.model.bundle import Bundle
    from leadml.publish.registry import Batch

METRIC_NAMES = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "brier_miscalibration": "Brier: miscalibration",
    "brier_discrimination": "Brier: discrimination",
    "brier_uncertainty": "Brier: uncertainty",
    "ece": "calibration error (ECE)",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
    "gain": "mean gain",
    "mean_probability": "mean probability",
    "rate": "share that converted",
}
MEANINGS = {
    "roc_auc": "larger is better, 0.5 is chance",
    "average_precision": "larger is better, the share that converted is chance",
    "log_loss": "smaller is better",
    "brier": "smaller is better; miscalibration less discrimination plus uncertainty",
    "brier_miscalibration": "smaller is better",
    "brier_discrimination": "larger is better",
    "brier_uncertainty": "given by the data",
    "ece": "smaller is better",
    "calibration_intercept": "0 is perfect",
    "calibration_slope": "1 is perfect",
    "gain": "larger is better, 0.5 is chance",
    "mean_probability": "should be the share that converted",
    "rate": "given by the data",
}
INTENDED_USE = (
    "To decide which leads to contact first and to advise their lifecycle stage. People decide: no lead is rejected "
    "by this number. Not for credit, insurance, employment or any decision with legal effect on a person."
)


def headline(evaluation: Evaluation) -> str:
    """Return whether the model beats its baselines, in one sentence.

    The model beats a baseline where the interval of the paired difference in log loss lies below 0.
    """
    beaten, unbeaten = evaluation.beaten()
    if not unbeaten:
        return f"The model beats every baseline: {_listed(beaten)}."
    if not beaten:
        return f"The model does not beat its baselines beyond doubt: {_listed(unbeaten)}."
    return f"The model beats {_listed(beaten)}, but not {_listed(unbeaten)} beyond doubt."


def warnings(bundle: Bundle) -> list[str]:
    """Return what must be known before any figure is believed."""
    found = []
    if bundle.facts["small"]:
        found.append("Low evidence: there are fewer leads than leadml asks for, and params allow it.")
    if bundle.holdout.since is None:
        found.append(
            "The leads have no date, so those kept aside were drawn at random: a world that moves is not seen here, "
            "and figures on new leads may be worse."
        )
    found += [
        f"{field} was suspected of knowing the outcome and was accepted: {reason}"
        for field, reason in bundle.facts["accepted_leaks"].items()
    ]
    return found


def build_report(bundle: Bundle, *, version: str, batch: Batch | None) -> Report:
    """Return the report of a version.

    Parameters
    ----------
    bundle
        The version.
    version
        Its name.
    batch
        What was scored last, or None.
    """
    evaluation = Evaluation.from_json(bundle.evaluation)
    return Report(
        title=f"{bundle.target}: version {version}, trained {bundle.facts['trained_at'][:10]}",
        headline=headline(evaluation),
        warnings=warnings(bundle),
        facts=_facts(evaluation, batch),
        sections=[
            _drivers(evaluation),
            _stages(bundle, evaluation),
            _gain(evaluation),
            _truth(bundle, evaluation),
            _comparison(evaluation),
            _card(bundle, version),
        ],
    )


def metric_table(evaluation: Evaluation) -> Table:
    """Return every metric with its interval and what it means."""
    rows = [
        (METRIC_NAMES[row.metric], _number(row.value), _interval(row), MEANINGS[row.metric])
        for row in evaluation.metrics.itertuples()
    ]
    return Table(("metric", "value", f"{evaluation.confidence:.0%} interval", "reading"), rows)


def model_table(evaluation: Evaluation) -> Table:
    """Return the model and its baselines side by side, with paired differences in log loss."""
    rows = []
    for model in evaluation.models["model"].unique():
        of = evaluation.models[evaluation.models["model"] == model].set_index("metric")
        loss = of.loc["log_loss"]
        gap = "" if model == MODEL else f"{loss.difference:+.4f} ({loss.difference_low:+.4f} to {loss.difference_high:+.4f})"
        rows.append((model, *(_number(of.loc[name, "value"]) for name in METRIC_NAMES if name in of.index), gap))
    columns = [METRIC_NAMES[name] for name in METRIC_NAMES if name in set(evaluation.models["metric"])]
    return Table(("model", *columns, "log loss of leadml less its own"), rows)


def stage_table(bundle: Bundle, evaluation: Evaluation) -> Table:
    """Return each advised stage: where it begins, by what rule, how many reach it and how many of those convert."""
    rows = []
    for cut in StagePlan.from_json(bundle.stages).cuts:
        of = evaluation.stages[evaluation.stages["stage"] == cut.stage].set_index("figure")
        share, precision = of.loc["share"], of.loc["precision"]
        leads = round(share["value"] * evaluation.leads)
        rows.append(
            (cut.stage, f"{cut.probability:.3f}", cut.rule, f"{share['value']:.1%} ({leads:,})",
             f"{_percent(precision['value'])} ({_percent(precision['low'])} to {_percent(precision['high'])})")
        )  # fmt: skip
    return Table(("stage", "begins at", "rule", "leads at or above", "of these convert"), rows)


def _facts(evaluation: Evaluation, batch: Batch | None) -> list[tuple[str, str]]:
    auc, loss = evaluation.metric("roc_auc"), evaluation.metric("log_loss")
    tops = evaluation.deciles[(evaluation.deciles["decile"] == 2) & (evaluation.deciles["figure"] == "gain")]  # noqa: PLR2004
    facts = [
        ("converters in the best 20% of leads", f"{tops['value'].iloc[0]:.0%}"),
        (f"ROC AUC ({auc['low']:.3f} to {auc['high']:.3f})", f"{auc['value']:.3f}"),
        (f"log loss ({loss['low']:.3f} to {loss['high']:.3f})", f"{loss['value']:.3f}"),
        ("judged by leads kept aside", f"{evaluation.leads:,}"),
    ]
    if batch is not None:
        facts.append((f"scored last, {batch.scored_at[:10]}", f"{batch.scored:,} leads"))
    return facts


def _drivers(evaluation: Evaluation) -> Section:
    rows = [
        (str(at), row.field, row.group, f"{row.value:.2f}", f"{row.low:.2f} to {row.high:.2f}")
        for at, row in enumerate(evaluation.importance.itertuples(), start=1)
    ]
    text = (
        "How many points of probability a field moves a lead up or down on average. The reasons of one lead add up to "
        "its score; these are the means over all leads kept aside.",
    )
    table = Table(("", "field", "group", "mean points", f"{evaluation.confidence:.0%} interval"), rows)
    alt = "Bars of mean points by field; the numbers are in the table below"
    return Section("What drives conversion", text, figures.importance_figure(evaluation.importance), alt, (table,))


def _stages(bundle: Bundle, evaluation: Evaluation) -> Section:
    text = ("A lead at a cut is in. The share that converts counts all leads at or above the cut.",)
    alt = "Bars of the share that converts at or above each cut; the numbers are in the table below"
    return Section("Stages", text, figures.stages_figure(evaluation), alt, (stage_table(bundle, evaluation),))


def _gain(evaluation: Evaluation) -> Section:
    by_decile = evaluation.deciles.set_index(["decile", "figure"])
    rows = []
    for decile in sorted(evaluation.deciles["decile"].unique()):
        rate, lift, gain = (by_decile.loc[(decile, figure)] for figure in ("rate", "lift", "gain"))
        rows.append(
            (str(decile), f"{_percent(rate['value'])} ({_percent(rate['low'])} to {_percent(rate['high'])})",
             f"{lift['value']:.2f} ({lift['low']:.2f} to {lift['high']:.2f})",
             f"{_percent(gain['value'])} ({_percent(gain['low'])} to {_percent(gain['high'])})")
        )  # fmt: skip
    text = ("Leads are worked from the highest probability down; tenth 1 has the best.",)
    columns = ("tenth", "converts", "lift over all", "converters reached so far")
    alt = "Share of converters reached against share of leads worked; the numbers are in the table below"
    return Section("What working the best first brings", text, figures.gain_figure(evaluation.deciles), alt, (Table(columns, rows),))


def _truth(bundle: Bundle, evaluation: Evaluation) -> Section:
    ece = evaluation.metric("ece")["value"]
    text = (
        f"Of leads that are given 20%, one in five should convert. The mean gap is {ece:.3f}; a perfect model would "
        f"show {evaluation.ece_by_chance:.3f} by chance on as many leads.",
    )
    alt = "Share that converted against probability said, in 15 groups of leads"
    figure = figures.reliability_figure(evaluation, target=bundle.target)
    return Section("Are the probabilities true?", text, figure, alt, (metric_table(evaluation),))


def _comparison(evaluation: Evaluation) -> Section:
    better = ", ".join(METRIC_NAMES[name] for name in LARGER_IS_BETTER)
    text = (
        "All are judged by the same leads, and differences are taken lead by lead. Where the interval of the last "
        f"column lies below 0, leadml is better beyond doubt. Larger is better for {better}; smaller for the others.",
    )
    return Section("Compared with", text, tables=(model_table(evaluation),))


def _card(bundle: Bundle, version: str) -> Section:
    facts = bundle.facts
    split, data = facts["split"], facts["data"]
    choices = facts["choices"]
    rows: list[tuple[str, str]] = [
        ("what it is for", INTENDED_USE),
        ("predicts", f"{bundle.target}, for each lead, as a calibrated probability"),
        ("data", f"{data['leads']:,} leads of {data['file']}, {data['conversions']:,} converted; {data['merged']:,} repeated rows merged"),
        ("learned from", f"{split['learn']['leads']:,} leads, {split['learn']['conversions']:,} converted"),
        ("kept aside", f"{split['judge']['leads']:,} leads, {split['judge']['conversions']:,} converted ({split['kind']})"),
        ("model", f"additive log-odds: trees with weight {choices['tree_weight']:.2f} ({choices['rounds']} rounds), linear part "
                  f"with the rest; calibration {choices['calibration']}"),
        ("fields", _listed([f"{field.name} ({field.group})" for field in bundle.contract.fields])),
        *((f"excluded: {name}", reason) for name, reason in facts["excluded"].items()),
        *((f"finding {code}", text) for code, _, text in facts["findings"]),
        ("version", f"{version}, trained {facts['trained_at']}, leadml {facts['leadml']}"),
        ("model hash", facts["model_hash"]),
        ("data hash", facts["data_hash"]),
        ("params hash", facts["params_hash"]),
    ]  # fmt: skip
    return Section("Model card", tables=(Table(("", ""), rows),))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(value: float) -> str:
    return "not defined" if value != value else f"{value:.4f}"  # noqa: PLR0124 - NaN is not itself


def _percent(value: float) -> str:
    return "none" if value != value else f"{value:.1%}"  # noqa: PLR0124 - NaN is not itself


def _interval(row: Any) -> str:
    return f"{_number(row.low)} to {_number(row.high)}"
