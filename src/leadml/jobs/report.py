"""Build the report of a version from its bundle, ready to be rendered.

Every figure was measured on the holdout, by the evaluation that is stored in the bundle.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leadml.leads.check.instants import shown_day
from leadml.model.judge.evaluation import BETTER, LARGER_IS_BETTER, UNCLEAR, WORSE, as_rows
from leadml.publish import figures, text_tables
from leadml.publish.page import Report, ReportSection
from leadml.stages.cuts import cut_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leadml.bundle.contents import Bundle
    from leadml.bundle.manifest import TrainingRecord
    from leadml.bundle.model import Model
    from leadml.leads.split import PartSize
    from leadml.model.judge.evaluation import Evaluation
    from leadml.publish.store.batch import StoredBatch

INTERVAL = (
    "The probability that leads with these fields convert, as far as these leads and this model can tell it. Causes "
    "that no field records are not in it: labels cannot tell them from chance."
)
INTENDED_USE = (
    "To decide which leads to contact first and to advise their lifecycle stage. People decide: no lead is rejected "
    "by this number. Not for credit, insurance, employment or any decision with legal effect on a person."
)
ANSWERS = {WORSE: "is worse than", BETTER: "is better than", UNCLEAR: "cannot be told from"}
# Decides a sentence only: a cut for 5% of the leads that lets in 6.3% is told, if its interval is beyond chance, too.
SHIFTED = 0.25
BEST_DECILES = 2  # 20% of the leads, as in the rule of 80 and 20 that marketing knows
# Decides a sentence only, and only with the rate's interval: leads of 20% that were called 22% are called wrong.
MEAN_TOLERANCE = 0.1
# Decides a sentence only: of 3,000 draws of perfect probabilities, 300 to 5,000 rows each, one was over twice the mean.
ECE_TOLERANCE = 2.0


def headline(evaluation: Evaluation) -> str:
    """Return in one sentence how the model compares with each baseline, and in a second one if it is badly calibrated.

    The model is better or worse than a baseline if the whole interval of the paired difference in log loss lies on one
    side of 0. It is badly calibrated if the calibration error is more than twice the error by chance and its interval
    lies above the error by chance, or if the mean probability lies outside the interval of the rate and differs from
    the rate by a tenth or more.
    """
    verdict = _comparison(evaluation.rivals())
    ece, chance = evaluation.metric("ece"), evaluation.ece_by_chance
    mean, rate = evaluation.metric("mean_probability")["value"], evaluation.metric("rate")
    is_shifted = not rate["low"] <= mean <= rate["high"] and abs(mean - rate["value"]) >= MEAN_TOLERANCE * rate["value"]
    if (ece["value"] <= ECE_TOLERANCE * chance or ece["low"] <= chance) and not is_shifted:
        return verdict
    difference = f"the mean prediction was {mean:.1%}, and {rate['value']:.1%} converted"
    return f"{verdict} But its probabilities were wrong on the holdout: {difference}."


def _comparison(rivals: Mapping[str, str]) -> str:
    """Return in a sentence which baselines the model is better or worse than, and which it cannot be told from."""
    by_answer = {answer: [name for name, each in rivals.items() if each == answer] for answer in ANSWERS}
    if len(by_answer[BETTER]) == len(rivals):
        return f"The model is better than every baseline: {_joined(by_answer[BETTER])}."
    parts = [f"{words} {_joined(by_answer[answer])}" for answer, words in ANSWERS.items() if by_answer[answer]]
    return f"The model {'; it '.join(parts)}."


def warnings(bundle: Bundle) -> list[str]:
    """Return the limits of the evidence, in sentences: what a reader must know before the figures."""
    texts = [bundle.record.stamp] if bundle.record.stamp else []
    if bundle.leads.holdout.since is None:
        texts.append(
            "The leads have no date, so the holdout is a random sample: the figures do not show changes over time and "
            "may be worse on new leads."
        )
    if bundle.leads.contract.lead_id is None:
        texts.append("No id is declared, so the row number is used: scores can be joined to the same file only.")
    texts += [
        f"{field} is a suspected leak of the outcome, and params accept it: {reason}"
        for field, reason in bundle.record.accepted_leaks.items()
    ]
    texts += [f"The cut of {cut.stage}: {cut.remark}." for cut in bundle.stages.cuts if cut.remark]
    return [*texts, *_slope(bundle.evaluation), *_empty_stages(bundle), *_shifted_shares(bundle)]


def _slope(evaluation: Evaluation) -> Iterator[str]:
    """Yield a sentence if probabilities are surely too far apart or too close to each other."""
    slope = evaluation.metric("calibration_slope")
    if slope["low"] <= 1 <= slope["high"]:
        return
    how = "too far apart" if slope["high"] < 1 else "too close to each other"
    yield (
        f"The probabilities are {how}: their calibration slope is {slope['value']:.2f} ({slope['low']:.2f} to "
        f"{slope['high']:.2f}), and would be 1."
    )


def _empty_stages(bundle: Bundle) -> Iterator[str]:
    """Yield a sentence for each stage that no lead of the holdout reaches."""
    for row in as_rows(bundle.evaluation.stages) if _are_evaluated(bundle) else ():
        if row["figure"] == "share" and row["value"] == 0:
            yield f"No lead of the holdout reaches {row['stage']}, whose cut is {row['cut']:.1%}."


def _shifted_shares(bundle: Bundle) -> Iterator[str]:
    """Yield a sentence for each cut that lets in another share of the holdout than of the leads it was solved on."""
    table, evaluation = bundle.candidates, bundle.evaluation
    shares = {row["stage"]: row for row in as_rows(evaluation.stages) if row["figure"] == "share"}
    why = "there are few of them" if bundle.leads.holdout.since is None else "the newer ones differ, or there are few"
    for cut in bundle.stages.cuts if _are_evaluated(bundle) else ():
        solved = float(table.loc[table["cut"] >= cut.probability, "share"].max())
        found = shares[cut.stage]
        is_outside = not found["low"] <= solved <= found["high"]
        if is_outside and abs(found["value"] - solved) > SHIFTED * solved:
            yield (
                f"The cut of {cut.stage} lets in {found['value']:.1%} of the holdout, and {solved:.1%} of the "
                f"{bundle.record.unit} that it was solved on: {why}."
            )


def _are_evaluated(bundle: Bundle) -> bool:
    """Return whether the cuts are those of the evaluation on the holdout; saved cuts are not."""
    evaluated = dict(zip(bundle.evaluation.stages["stage"], bundle.evaluation.stages["cut"], strict=True))
    return evaluated == {cut.stage: cut.probability for cut in bundle.stages.cuts}


def build_report(model: Model, *, batch: StoredBatch | None) -> Report:
    """Return the report of a version.

    Parameters
    ----------
    model
        The version.
    batch
        The last scored batch, or None.
    """
    bundle, evaluation = model.bundle, model.evaluation
    unit = bundle.record.unit
    return Report(
        title=f"{model.target}: version {model.scored_version}, trained {bundle.record.trained_at[:10]}",
        headline=headline(evaluation),
        warnings=warnings(bundle),
        facts=_facts(evaluation, batch, unit),
        sections=[
            _importance_section(bundle, evaluation),
            *_stages_section(bundle, evaluation),
            _gain_section(evaluation, unit),
            _calibration_section(bundle, evaluation),
            _baselines_section(evaluation, unit),
            *_maturity_section(bundle),
            ReportSection("Model card", tables=(model_card(model), _parts_table(bundle))),
        ],
    )


def _model_text(choices: Mapping[str, Any]) -> str:
    """Return the weights of the parts of a model; parts without weight are left out."""
    points = choices.get("points_terms")
    linear = "linear parts that start from the points of baselines.points" if points else "linear parts"
    parts = [(choices["linear_weight"], linear), (choices["trees_weight"], "trees")]
    text = "; ".join(f"{weight:.2f} times {name}" for weight, name in parts if weight)
    newest = choices.get("newest_weight", 0.0)
    return text + (f"; parts in which older leads weigh less have {newest:.2f} of this weight" if newest else "")


def _stability_text(choices: Mapping[str, Any]) -> str:
    """Return how much another training would have changed."""
    return (
        f"if it had learnt from as many other leads, {choices['stage_changes']:.0%} of the leads would be in another "
        f"stage; the log-odds of a lead vary by {choices['sampling_deviation']:.2f} over such trainings; the order of "
        f"fields by importance agrees by {choices['importance_correlation']:.2f} between the models of two folds (rank "
        "correlation)"
    )


def model_card(model: Model) -> text_tables.TextTable:
    """Return the model card: intended use, data, parts of the model, findings and hashes."""
    bundle, manifest = model.bundle, model.manifest
    record, spec, labels = bundle.record, bundle.leads, topic_labels(bundle)
    choices: Mapping[str, Any] = record.choices
    topics = [f"{labels.get(field.subject, field.subject)} ({field.group})" for field in spec.contract.fields]
    rows = [
        ("intended use", INTENDED_USE),
        ("prediction", spec.settings.predicts(bundle.target)),
        ("data", f"{record.rows:,} {record.unit} of {record.data.source}, {record.conversions:,} converted"),
        ("repeated rows merged", f"{record.data.merged:,}"),
        ("fitted on", _size_text(record.split.learn, record.unit)),
        ("holdout", f"{_size_text(record.split.holdout, record.unit)} ({record.split.name})"),
        *((("below the cut", record.weighed),) if record.weighed else ()),
        *_after_evaluation(record),
        *((("evidence", record.stamp),) if record.stamp else ()),
        ("model", f"additive log-odds: {_model_text(choices)}"),
        ("interval of a score", INTERVAL),
        ("stability", _stability_text(choices)),
        ("reasons", _reasons_text(choices["table_numbers"], choices["trees_without_tables"])),
        ("fields", _joined(list(dict.fromkeys(topics)))),
        *((f"excluded: {name}", reason) for name, reason in record.excluded.items()),
        *(("finding", str(finding)) for finding in record.findings),
        ("version", f"{model.version}, trained {record.trained_at}, leadml {manifest.leadml}"),
        ("model hash", manifest.model_hash),
        ("data hash", record.data_hash),
        ("params hash", record.params_hash),
    ]
    return text_tables.TextTable(("", ""), rows)


def _after_evaluation(record: TrainingRecord) -> Iterator[tuple[str, str]]:
    """Yield what was done to the model after it was evaluated."""
    if record.fitted_again:
        yield "fitted again on", f"all {record.fitted_again:,} {record.unit} whose outcomes were known, by this recipe"
    if record.recalibrated:
        yield "recalibrated", record.recalibrated


def _facts(evaluation: Evaluation, batch: StoredBatch | None, unit: str) -> list[tuple[str, str]]:
    gain = next(row for row in as_rows(evaluation.deciles) if (row["decile"], row["figure"]) == (BEST_DECILES, "gain"))
    facts = [(f"of the converters are among the best 20% of {unit}", f"{gain['value']:.0%}")]
    for name in ("roc_auc", "log_loss"):
        row = evaluation.metric(name)
        facts.append(
            (f"{text_tables.METRICS[name][0]} ({text_tables.interval(row, '{:.3f}'.format)})", f"{row['value']:.3f}")
        )
    facts.append((f"{unit} in the holdout", f"{evaluation.leads:,}"))
    if batch is not None:
        facts.append((f"leads in the last batch, {batch.scored_at[:10]}", f"{batch.scored:,}"))
    return facts


def _importance_section(bundle: Bundle, evaluation: Evaluation) -> ReportSection:
    text = (
        "By how many points each field raises or lowers the score of a lead, where the score is 100 times the "
        f"probability to convert. The figures are means over all {bundle.record.unit} of the holdout."
    )
    alt = "Bars of mean points by field; the numbers are in the table below"
    labels = topic_labels(bundle)
    names = [labels.get(name, name) for name in evaluation.importance["field"]]
    evaluation = replace(evaluation, importance=evaluation.importance.assign(field=names))
    drawing = figures.importance_figure(evaluation.importance)
    return ReportSection(
        "What drives conversion", [text], drawing, alt, (text_tables.importance_table(evaluation),), side_by_side=True
    )


def _stages_section(bundle: Bundle, evaluation: Evaluation) -> list[ReportSection]:
    """Return the section of stages, if the target drives any."""
    if evaluation.stages.empty:
        return []
    unit = bundle.record.unit
    if not _are_evaluated(bundle):
        text = (
            f"These cuts were saved after the training (leadml cuts --save), so their figures are those of the {unit} "
            "that cuts are solved on, out-of-fold and with 90% intervals, and not of the holdout."
        )
        table = text_tables.cut_table(cut_table(bundle.stages.cuts, bundle.candidates))
        return [ReportSection("Stages", [text], tables=(table,))]
    text = (
        "A lead is in the highest stage whose cut its probability reaches. Shares and conversions count all "
        f"{unit} of the holdout at or above the cut. If the model had learnt from as many other leads, "
        f"{bundle.record.choices['stage_changes']:.0%} of all {unit} would be in another stage."
    )
    alt = "Bars of the share that converts at or above each cut; the numbers are in the table below"
    table = text_tables.stage_table(evaluation, bundle.stages.cuts, unit=unit)
    return [ReportSection("Stages", [text], figures.stages_figure(evaluation, unit=unit), alt, (table,))]


def _gain_section(evaluation: Evaluation, unit: str) -> ReportSection:
    text = (
        f"The {unit} of the holdout, sorted by probability and divided into ten groups of the same size. Tenth 1 has "
        "the highest probabilities: how much is gained if these are contacted first?"
    )
    alt = f"Share of converters reached against share of {unit} worked; the numbers are in the table below"
    drawing = figures.gain_figure(evaluation.deciles, unit=unit)
    return ReportSection(
        "What contacting the best leads first brings",
        [text],
        drawing,
        alt,
        (text_tables.decile_table(evaluation),),
        side_by_side=True,
    )


def _calibration_section(bundle: Bundle, evaluation: Evaluation) -> ReportSection:
    unit = bundle.record.unit
    text = (
        f"Of {unit} with a probability of 20%, one in five should convert. On average the probability and the share "
        f"that converted differ by {evaluation.metric('ece')['value']:.3f}. With a perfect model they would differ by "
        f"{evaluation.ece_by_chance:.3f}, by chance alone."
    )
    alt = f"Share that converted against predicted probability, in 15 groups of {unit}"
    drawing = figures.reliability_figure(evaluation, target=bundle.target, unit=unit)
    return ReportSection("Are the probabilities right?", [text], drawing, alt, (text_tables.metric_table(evaluation),))


def _baselines_section(evaluation: Evaluation, unit: str) -> ReportSection:
    better = " and ".join(text_tables.METRICS[name][0] for name in LARGER_IS_BETTER)
    text = (
        f"All methods are evaluated on the same {unit} of the holdout. leadml is clearly better than a method if the "
        f"whole interval in the last column lies below 0. For {better} larger is better; for the others smaller is "
        "better."
    )
    return ReportSection("Comparison with simpler methods", [text], tables=(text_tables.model_table(evaluation),))


def topic_labels(bundle: Bundle) -> dict[str, str]:
    """Return a label in plain words for each topic whose name leadml made, by that name."""
    fields = bundle.leads.contract.fields
    labels = {field.name: field.name.replace("_", " ") for field in fields if field.source == "derived"}
    return labels | bundle.leads.settings.topic_labels


def _reasons_text(numbers: int, trees: int) -> str:
    text = f"exact, from tables of {numbers:,} numbers"
    if not trees:
        return text
    return f"{text}; {trees:,} trees are too deep or too many for tables and are computed by LightGBM, which is slow"


def _parts_table(bundle: Bundle) -> text_tables.TextTable:
    return text_tables.part_table(bundle.record.split, unit=bundle.record.unit)


def _size_text(part: PartSize, unit: str) -> str:
    size = f"{part.rows:,} {unit}, {part.conversions:,} converted"
    if part.first is None or part.last is None:
        return size
    return f"{size}, {shown_day(part.first)} to {shown_day(part.last)}"


def _maturity_section(bundle: Bundle) -> list[ReportSection]:
    """Return the section on the time until an outcome is known, if outcomes have dates."""
    maturity = bundle.record.data.maturity
    if maturity is None:
        return []
    text = (
        f"The outcome of a snapshot is known after {maturity.horizon} days, and {maturity.settling} more for late "
        f"records: {maturity.mature:,} snapshots had a known outcome by {maturity.observed_until[:10]}; "
        f"{maturity.immature:,} are younger: their outcome is unknown, not negative, so they are left out. The table "
        "counts a lead at an age only if it was observed to that age. A horizon is long enough if the share hardly "
        "rises after it."
    )
    return [ReportSection("How long conversions take", [text], tables=(text_tables.age_table(maturity.by_age),))]


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
