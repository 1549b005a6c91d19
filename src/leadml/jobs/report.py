"""Write the report of a version.

What enters is a bundle and what was scored with it; what leaves is a report, ready to be rendered.
Every figure is one of the bundle's evaluation, so of leads that the model did not see.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leadml.leads.check.instants import shown_day
from leadml.model.judge.evaluation import LARGER_IS_BETTER, as_rows
from leadml.publish import figures, text_tables
from leadml.publish.page import Report, ReportSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadml.bundle.contents import Bundle
    from leadml.bundle.model import Model
    from leadml.leads.split import PartSize
    from leadml.model.judge.evaluation import Evaluation
    from leadml.publish.registry import BatchEntry

INTENDED_USE = (
    "To decide which leads to contact first and to advise their lifecycle stage. People decide: no lead is rejected "
    "by this number. Not for credit, insurance, employment or any decision with legal effect on a person."
)
BEST = 2
SHIFTED = 0.1
FAR_OFF = 2.0


def headline(evaluation: Evaluation) -> str:
    """Return whether the model beats its baselines, in one sentence, and in another where its probabilities were off.

    The model beats a baseline where the interval of the paired difference in log loss lies below 0. Its probabilities
    were off where the calibration error is more than twice, and its interval above, what chance gives, or where their
    mean lies outside the interval of the rate and a tenth of it away or more.
    """
    beaten, unbeaten = evaluation.beaten()
    if not unbeaten:
        verdict = f"The model beats every baseline: {_listed(beaten)}."
    elif not beaten:
        verdict = f"The model does not clearly beat its baselines: {_listed(unbeaten)}."
    else:
        verdict = f"The model beats {_listed(beaten)}, but not clearly {_listed(unbeaten)}."
    ece, chance = evaluation.metric("ece"), evaluation.ece_by_chance
    mean, rate = evaluation.metric("mean_probability")["value"], evaluation.metric("rate")
    shifted = not rate["low"] <= mean <= rate["high"] and abs(mean - rate["value"]) >= SHIFTED * rate["value"]
    if (ece["value"] <= FAR_OFF * chance or ece["low"] <= chance) and not shifted:
        return verdict
    gap = f"{mean:.1%} was predicted on average, {rate['value']:.1%} converted"
    return f"{verdict} But its probabilities were off on the holdout: {gap}."


def warnings(bundle: Bundle) -> list[str]:
    """Return what must be known before any figure is believed."""
    found = []
    if bundle.record.is_small:
        found.append("Low evidence: there are fewer leads than leadml asks for, and params allow it.")
    if bundle.leads.holdout.since is None:
        found.append(
            "The leads have no date, so the holdout was drawn at random: changes over time are not seen here, and "
            "figures on new leads may be worse."
        )
    if bundle.leads.contract.lead_id is None:
        found.append("No id is declared, so the number of the row serves: scores can be joined to the same file only.")
    found += [
        f"{field} was suspected of knowing the outcome and was accepted: {reason}"
        for field, reason in bundle.record.accepted_leaks.items()
    ]
    return found


def build_report(model: Model, *, batch: BatchEntry | None) -> Report:
    """Return the report of a version.

    Parameters
    ----------
    model
        The version.
    batch
        What was scored last, or None.
    """
    bundle, evaluation = model.bundle, model.evaluation
    unit = bundle.record.unit
    return Report(
        title=f"{model.target}: version {model.version}, trained {bundle.record.trained_at[:10]}",
        headline=headline(evaluation),
        warnings=warnings(bundle),
        facts=_facts(evaluation, batch, unit),
        sections=[
            _drivers(bundle, evaluation),
            *_stages(bundle, evaluation),
            _gain(evaluation, unit),
            _truth(bundle, evaluation),
            _comparison(evaluation, unit),
            *_maturity(bundle),
            ReportSection("Model card", tables=(model_card(model), _parts(bundle))),
        ],
    )


def _parts_in_words(choices: Mapping[str, Any]) -> str:
    """Return the parts of a model and their weights; those without weight are not named."""
    lines = [
        (choices["linear_weight"], _line_in_words("a linear part", choices["half_life"])),
        (choices.get("trees_weight", 0.0), _trees_in_words(choices, "trees")),
        (
            choices.get("trees_on_linear_weight", 0.0),
            _line_in_words("a linear part", choices["base_half_life"])
            + f" and on it {_trees_in_words(choices, 'trees_on_linear')}",
        ),
    ]
    return "; ".join(f"{weight:.2f} times {words}" for weight, words in lines if weight)


def _line_in_words(words: str, half_life: float) -> str:
    return words + (f" in which a lead counts half after {half_life:.1%} of the leads" if half_life else "")


def _trees_in_words(choices: Mapping[str, Any], kind: str) -> str:
    if f"{kind}_rounds" not in choices:
        return "none"
    return f"trees of {choices[f'{kind}_leaves']} leaves, {choices[f'{kind}_rounds']:,} a booster"


def model_card(model: Model) -> text_tables.TextTable:
    """Return what a version is for, what it was made of, and what was found in its data."""
    bundle, manifest = model.bundle, model.manifest
    record, spec, words = bundle.record, bundle.leads, topic_words(bundle)
    choices: Mapping[str, Any] = record.choices
    topics = [f"{words.get(field.subject, field.subject)} ({field.group})" for field in spec.contract.fields]
    rows = [
        ("what it is for", INTENDED_USE),
        ("predicts", spec.settings.predicts(bundle.target)),
        ("data", f"{record.rows:,} {record.unit} of {record.data.source}, {record.conversions:,} converted"),
        ("repeated rows merged", f"{record.data.merged:,}"),
        ("fitted on", _size(record.split.learn, record.unit)),
        ("holdout", f"{_size(record.split.holdout, record.unit)} ({record.split.name})"),
        ("model", f"additive log-odds: {_parts_in_words(choices)}; calibration {choices['calibration']}"),
        ("reasons", _reasons(choices["table_numbers"], choices["trees_without_tables"])),
        ("fields", _listed(list(dict.fromkeys(topics)))),
        *((f"excluded: {name}", reason) for name, reason in record.excluded.items()),
        *(("finding", str(finding)) for finding in record.findings),
        ("version", f"{model.version}, trained {record.trained_at}, leadml {manifest.leadml}"),
        ("model hash", manifest.model_hash),
        ("data hash", record.data_hash),
        ("params hash", record.params_hash),
    ]
    return text_tables.TextTable(("", ""), rows)


def _facts(evaluation: Evaluation, batch: BatchEntry | None, unit: str) -> list[tuple[str, str]]:
    reached = next(r for r in as_rows(evaluation.deciles) if (r["decile"], r["figure"]) == (BEST, "gain"))
    facts = [(f"of the converters are among the best 20% of {unit}", f"{reached['value']:.0%}")]
    for name in ("roc_auc", "log_loss"):
        row = evaluation.metric(name)
        facts.append(
            (f"{text_tables.METRICS[name][0]} ({text_tables.span(row, '{:.3f}'.format)})", f"{row['value']:.3f}")
        )
    facts.append((f"{unit} in the holdout", f"{evaluation.leads:,}"))
    if batch is not None:
        facts.append((f"leads scored last, {batch.scored_at[:10]}", f"{batch.scored:,}"))
    return facts


def _drivers(bundle: Bundle, evaluation: Evaluation) -> ReportSection:
    text = (
        "How many points of probability a field moves a lead up or down on average. The reasons of one lead add up to "
        f"its score; these are the means over all {bundle.record.unit} of the holdout."
    )
    alt = "Bars of mean points by field; the numbers are in the table below"
    words = topic_words(bundle)
    names = [words.get(name, name) for name in evaluation.importance["field"]]
    evaluation = replace(evaluation, importance=evaluation.importance.assign(field=names))
    drawing = figures.importance_figure(evaluation.importance)
    return ReportSection(
        "What drives conversion", [text], drawing, alt, (text_tables.importance_table(evaluation),), beside=True
    )


def _stages(bundle: Bundle, evaluation: Evaluation) -> list[ReportSection]:
    """Return what each stage holds, where the target drives any."""
    if evaluation.stages.empty:
        return []
    unit = bundle.record.unit
    text = f"A lead at a cut is in. The share that converts counts all {unit} at or above the cut."
    alt = "Bars of the share that converts at or above each cut; the numbers are in the table below"
    table = text_tables.stage_table(evaluation, bundle.stages.cuts, unit=unit)
    return [ReportSection("Stages", [text], figures.stages_figure(evaluation, unit=unit), alt, (table,))]


def _gain(evaluation: Evaluation, unit: str) -> ReportSection:
    text = f"{unit.capitalize()} are worked from the highest probability down; tenth 1 has the best."
    alt = f"Share of converters reached against share of {unit} worked; the numbers are in the table below"
    drawing = figures.gain_figure(evaluation.deciles, unit=unit)
    return ReportSection(
        "What working the best first brings", [text], drawing, alt, (text_tables.decile_table(evaluation),), beside=True
    )


def _truth(bundle: Bundle, evaluation: Evaluation) -> ReportSection:
    unit = bundle.record.unit
    text = (
        f"Of {unit} that are given 20%, one in five should convert. The mean gap is "
        f"{evaluation.metric('ece')['value']:.3f}; a perfect model would show {evaluation.ece_by_chance:.3f} by "
        f"chance on as many {unit}."
    )
    alt = f"Share that converted against probability said, in 15 groups of {unit}"
    drawing = figures.reliability_figure(evaluation, target=bundle.target, unit=unit)
    return ReportSection("Are the probabilities true?", [text], drawing, alt, (text_tables.metric_table(evaluation),))


def _comparison(evaluation: Evaluation, unit: str) -> ReportSection:
    better = " and ".join(text_tables.METRICS[name][0] for name in LARGER_IS_BETTER)
    text = (
        f"All are judged by the same {unit}, and differences are taken one by one. Where the interval of the last "
        f"column lies below 0, leadml is clearly better. Larger is better for {better}; smaller for the others."
    )
    return ReportSection("Compared with", [text], tables=(text_tables.model_table(evaluation),))


def topic_words(bundle: Bundle) -> dict[str, str]:
    """Return what people call the topics that leadml names itself, by those names."""
    fields = bundle.leads.contract.fields
    words = {field.name: field.name.replace("_", " ") for field in fields if field.source == "derived"}
    return words | bundle.leads.settings.topic_words


def _reasons(numbers: int, trees_left: int) -> str:
    said = f"exact, read from tables of {numbers:,} numbers"
    if not trees_left:
        return said
    return f"{said}; for {trees_left:,} trees that are too deep or too many for tables, by LightGBM, which is slow"


def _parts(bundle: Bundle) -> text_tables.TextTable:
    return text_tables.part_table(bundle.record.split, unit=bundle.record.unit)


def _size(part: PartSize, unit: str) -> str:
    size = f"{part.rows:,} {unit}, {part.conversions:,} converted"
    if part.first is None or part.last is None:
        return size
    return f"{size}, {shown_day(part.first)} to {shown_day(part.last)}"


def _maturity(bundle: Bundle) -> list[ReportSection]:
    """Return when labels are known, where outcomes have dates."""
    maturity = bundle.record.data.maturity
    if maturity is None:
        return []
    text = (
        f"The label of a snapshot is known once {maturity.horizon} days and {maturity.settling} for late records have "
        f"passed: {maturity.mature:,} snapshots had such a label by {maturity.observed_until[:10]}; "
        f"{maturity.immature:,} are younger: their outcome is unknown, not negative, so they are left out. The table "
        "counts leads at an age only where they were observed to that age; a horizon beyond which the share hardly "
        "rises loses little."
    )
    return [ReportSection("How long it takes", [text], tables=(text_tables.age_table(maturity.by_age),))]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
