"""Leaks that any leads can have.

Each function takes a clean case, the same case with its known leak, and a generator, and plants one leak in the clean
case. The generator draws how strong the leak is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from leak_cases import DAY, KNOWN_LEAKS, Case, creation_dates, flipped


def known_leak(case: Case, raw: Case, _: np.random.Generator) -> Case:
    """Plant the leak that the data set is known for, under another name."""
    known = KNOWN_LEAKS[case.source]
    values = raw.frame.set_index("lead_id")[known].reindex(case.frame["lead_id"]).to_numpy()
    return case.with_field(values, "number", f"{known}, renamed")


def noisy_copy(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a copy of the label with some labels flipped."""
    share = random.uniform(0.05, 0.2)
    values = flipped(case, random, share)
    kind = str(random.choice(["boolean", "category"]))
    shown_values = values.astype(float) if kind == "boolean" else np.where(values == 1, "warm", "cold").astype(object)
    return case.with_field(shown_values, kind, f"{kind} copy, {share:.0%} flipped")


def flag_of_converters(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a flag that only converters have, and not all of them."""
    share = random.uniform(0.4, 0.6)
    values = (case.label == 1) & (random.random(len(case.label)) < share)
    return case.with_field(values.astype(float), "boolean", f"flag of {share:.0%} of the converters")


def days_until_close(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the days until the close, 365 where there is none."""
    share = random.uniform(0.1, 0.2)
    known = flipped(case, random, share) == 1
    days = np.where(known, np.ceil(random.gamma(2, 15, len(known))), 365.0)
    return case.with_field(days, "number", f"days until close, {share:.0%} flipped")


def deal_value(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the rounded value of the deal for a share of the converters, and 0 elsewhere."""
    share = random.uniform(0.4, 0.9)
    has_value = (case.label == 1) & (random.random(len(case.label)) < share)
    values = np.where(has_value, np.round(random.lognormal(8, 1, len(has_value)), -2) + 100, 0.0)
    return case.with_field(values, "number", f"deal value of {share:.0%} of the converters")


def filled_by_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a field that is filled in mostly for converters; its values are noise."""
    of_converters, of_others = random.uniform(0.8, 0.95), random.uniform(0.02, 0.15)
    has_value = random.random(len(case.label)) < np.where(case.label == 1, of_converters, of_others)
    values = np.where(has_value, random.normal(50, 10, len(has_value)), np.nan)
    return case.with_field(
        values, "number", f"filled in for {of_converters:.0%} of converters, {of_others:.0%} of others"
    )


def lost_reason(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a reason that only leads without a conversion have, and not all of them."""
    share = random.uniform(0.5, 0.9)
    has_value = (case.label == 0) & (random.random(len(case.label)) < share)
    levels = random.choice(np.array(["price", "timing", "silence"], dtype=object), len(has_value))
    return case.with_field(np.where(has_value, levels, None), "category", f"reason of {share:.0%} of the others")


def outcome_name(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a weak copy with a name that sales systems fill in after the outcome."""
    share = random.uniform(0.3, 0.4)
    name = str(random.choice(["Lead Quality", "Tags", "Last Activity", "lead_owner", "Lost Reason", "Stage"]))
    values = np.where(flipped(case, random, share) == 1, "one", "two").astype(object)
    return case.with_field(values, "category", f"{name}, {share:.0%} flipped", name=name)


def moved_number(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a random number that the outcome moves by 1.4 to 2.5 standard deviations."""
    shift = random.uniform(1.4, 2.5)
    values = case.label * shift + random.normal(0, 1, len(case.label))
    return case.with_field(values, "number", f"number moved by {shift:.1f} deviations")


def special_number(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a random number that is -1 or 999 for a share of the leads with one label."""
    share, label = random.uniform(0.4, 0.6), int(random.integers(2))
    has_value = (case.label == label) & (random.random(len(case.label)) < share)
    values = np.where(has_value, random.choice([-1.0, 999.0]), np.round(random.gamma(2, 20, len(has_value))))
    return case.with_field(values, "number", f"special number of {share:.0%} of the leads with label {label}")


def deal_stage(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a category whose levels follow the outcome, some of them wrongly."""
    share = random.uniform(0.05, 0.2)
    values = flipped(case, random, share)
    levels = np.array([["open", "nurture", "parked"], ["won", "onboarding", "open"]], dtype=object)
    chosen = levels[values, random.integers(0, 3, len(values))]
    return case.with_field(chosen, "category", f"stages, {share:.0%} flipped")


def half_blank(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a copy that is blank for about half of the leads."""
    share, blank = random.uniform(0.02, 0.1), random.uniform(0.4, 0.6)
    values = np.where(random.random(len(case.label)) < blank, np.nan, flipped(case, random, share))
    return case.with_field(values, "boolean", f"copy, {share:.0%} flipped, blank for {blank:.0%}")


def rating(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a rating from 0 to 10 that follows the outcome."""
    shift = random.uniform(1.5, 2.5)
    values = np.clip(np.round(4 + 2 * (case.label * shift + random.normal(0, 1, len(case.label)))), 0, 10)
    return case.with_field(values, "number", f"rating of 0 to 10 moved by {shift:.1f} deviations")


def count_after_conversion(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a count that increases after the conversion."""
    more = random.uniform(3, 6)
    values = random.poisson(1 + more * case.label).astype(float)
    return case.with_field(values, "number", f"count of 1, {1 + more:.1f} for converters")


def closing_colleague(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the colleague who works on the lead: two of them get most leads that are about to convert."""
    share = random.uniform(0.8, 0.95)
    with_closer = random.random(len(case.label)) < np.where(case.label == 1, share, 0.1)
    names = np.array([["ada", "bob", "cid", "dot"], ["eve", "fay", "eve", "fay"]], dtype=object)
    chosen = names[with_closer.astype(int), random.integers(0, 4, len(with_closer))]
    return case.with_field(chosen, "category", f"colleague of {share:.0%} of the converters")


def in_one_segment(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a copy in the larger part of the leads, and noise in the others."""
    share, part = random.uniform(0.0, 0.05), random.uniform(0.7, 0.9)
    noise = random.random(len(case.label)) < case.label.mean()
    values = np.where(random.random(len(case.label)) < part, flipped(case, random, share), noise).astype(float)
    return case.with_field(values, "boolean", f"copy, {share:.0%} flipped, in {part:.0%} of the leads")


def ids_by_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Give ids in the order of the outcome, some of them at random."""
    share = random.uniform(0.0, 0.1)
    rank = np.argsort(np.argsort(flipped(case, random, share) + random.random(len(case.label)) / 2))
    frame = case.frame.assign(lead_id=[f"L{number:06d}" for number in rank])
    return replace(case, description=f"ids by outcome, {share:.0%} flipped", frame=frame, suspect="lead_id")


def rows_by_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Write the file as 2 to 19 exports, each with its converters first."""
    parts = int(random.integers(2, 20))
    part = np.sort(random.integers(0, parts, len(case.label)))
    order = np.argsort(np.lexsort((random.random(len(part)), 1 - case.label, part)))
    description = f"file of {parts} exports, converters first"
    return replace(case, description=description, evidence=replace(case.evidence, order=order), suspect="order")


def copies_in_holdout(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Hold leads out, of which some are copies of training leads."""
    share = random.uniform(0.08, 0.3)
    chosen = random.permutation(len(case.frame))
    size = len(chosen) // 4
    copied = chosen[size : size + int(share * size)]
    held_out = case.frame.iloc[np.r_[chosen[: size - len(copied)], copied]].reset_index(drop=True)
    learn = case.with_rows(np.sort(chosen[size:]), f"{share:.0%} of the holdout are copies")
    return replace(learn, evidence=replace(case.evidence, held_out=held_out), suspect="split")


def changed_at_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Change a field when the outcome comes for a share of the converters, and at random times for all leads."""
    share, size = random.uniform(0.4, 0.9), len(case.frame)
    created = creation_dates(case, random)
    frame = case.frame.assign(created_at=created)
    won = np.flatnonzero(case.label == 1)
    closed = created[won] + (random.gamma(2, 30, len(won)) * DAY).astype(np.int64)
    ids, name = frame["lead_id"].to_numpy(), case.fields[int(random.integers(len(case.fields)))].name
    chosen = random.random(len(won)) < share
    changed = random.integers(0, size, size)
    at = [closed[chosen] + (random.normal(0, 0.5, chosen.sum()) * DAY).astype(np.int64)]
    at.append(created[changed] + (random.random(size) * 100 * DAY).astype(np.int64))
    changes = pd.DataFrame({"lead_id": np.r_[ids[won][chosen], ids[changed]], "changed_at": np.concatenate(at)})
    outcomes = pd.DataFrame({"lead_id": ids[won], "occurred_at": closed})
    evidence = replace(case.evidence, changes=changes.assign(field=name), outcomes=outcomes)
    description = f"changed at the outcome for {share:.0%} of the converters"
    return replace(case, description=description, frame=frame, evidence=evidence, suspect=name)


def later_dates(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the date of the last visit, which is after the snapshot for a share of the converters."""
    share, size = random.uniform(0.5, 0.9), len(case.frame)
    as_of = case.frame["as_of"].to_numpy() if "as_of" in case.frame else creation_dates(case, random)
    later = (case.label == 1) & (random.random(size) < share)
    visited = as_of + (np.where(later, random.gamma(2, 20, size), -random.gamma(2, 20, size)) * DAY).astype(np.int64)
    if random.integers(2):
        values, kind = visited / 1_000_000.0, "number"
    else:
        values, kind = pd.to_datetime(visited, unit="us").strftime("%Y-%m-%d").to_numpy(dtype=object), "category"
    dated = replace(case, frame=case.frame.assign(as_of=as_of))
    return dated.with_field(values, kind, f"dates after the snapshot for {share:.0%} of the converters")


FLAT_LEAKS = (
    known_leak, noisy_copy, flag_of_converters, days_until_close, deal_value, filled_by_outcome, lost_reason,
    outcome_name, moved_number, special_number, deal_stage, half_blank, rating, count_after_conversion,
    closing_colleague, in_one_segment, ids_by_outcome, rows_by_outcome, copies_in_holdout, changed_at_outcome,
    later_dates,
)  # fmt: skip
