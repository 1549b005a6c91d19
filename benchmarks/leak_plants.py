"""Leaks to be planted in leads, drawn by seed.

What enters is a clean case, the same with its known leak, and a generator; what leaves is the case with one leak.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from leak_cases import DAY, KNOWN_LEAKS, Case, beginnings, flipped


def known_leak(case: Case, raw: Case, _: np.random.Generator) -> Case:
    """Plant the leak that the data set is known for, under another name."""
    known = KNOWN_LEAKS[case.source]
    values = raw.frame.set_index("lead_id")[known].reindex(case.frame["lead_id"]).to_numpy()
    return case.with_field(values, "number", f"{known}, renamed")


def copy(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a copy of the label with some of it turned round."""
    share = random.uniform(0.05, 0.2)
    values = flipped(case, random, share)
    kind = str(random.choice(["boolean", "category"]))
    shown = values.astype(float) if kind == "boolean" else np.where(values == 1, "warm", "cold").astype(object)
    return case.with_field(shown, kind, f"{kind} copy, {share:.0%} turned round")


def mark(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a mark that only part of the converters have."""
    share = random.uniform(0.4, 0.6)
    values = (case.label == 1) & (random.random(len(case.label)) < share)
    return case.with_field(values.astype(float), "boolean", f"mark of {share:.0%} of the converters")


def days_until_close(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the days until the close, the longest where it never came."""
    share = random.uniform(0.1, 0.2)
    known = flipped(case, random, share) == 1
    days = np.where(known, np.ceil(random.gamma(2, 15, len(known))), 365.0)
    return case.with_field(days, "number", f"days until close, {share:.0%} turned round")


def deal_value(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the value of the deal, rounded, 0 where there is none, for part of the converters."""
    share = random.uniform(0.4, 0.9)
    held = (case.label == 1) & (random.random(len(case.label)) < share)
    values = np.where(held, np.round(random.lognormal(8, 1, len(held)), -2) + 100, 0.0)
    return case.with_field(values, "number", f"deal value of {share:.0%} of the converters")


def filled(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a field that is filled mostly for converters; what is in it is noise."""
    mine, other = random.uniform(0.8, 0.95), random.uniform(0.02, 0.15)
    held = random.random(len(case.label)) < np.where(case.label == 1, mine, other)
    values = np.where(held, random.normal(50, 10, len(held)), np.nan)
    return case.with_field(values, "number", f"filled for {mine:.0%} of converters, {other:.0%} of others")


def lost_reason(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a reason that only leads that did not convert have, and not all of them."""
    share = random.uniform(0.5, 0.9)
    held = (case.label == 0) & (random.random(len(case.label)) < share)
    levels = random.choice(np.array(["price", "timing", "silence"], dtype=object), len(held))
    return case.with_field(np.where(held, levels, None), "category", f"reason of {share:.0%} of the others")


def banned_name(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a weak copy under a name that sales systems write afterwards."""
    share = random.uniform(0.3, 0.4)
    name = str(random.choice(["Lead Quality", "Tags", "Last Activity", "lead_owner", "Lost Reason", "Stage"]))
    values = np.where(flipped(case, random, share) == 1, "one", "two").astype(object)
    return case.with_field(values, "category", f"{name}, {share:.0%} turned round", name=name)


def noisy_number(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a number that the outcome moves by so many standard deviations."""
    moved = random.uniform(1.4, 2.5)
    values = case.label * moved + random.normal(0, 1, len(case.label))
    return case.with_field(values, "number", f"number moved by {moved:.1f} deviations")


def special_value(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a number that is -1, or 999, for part of the leads of one kind and honest elsewhere."""
    share, kind = random.uniform(0.4, 0.6), int(random.integers(2))
    held = (case.label == kind) & (random.random(len(case.label)) < share)
    values = np.where(held, random.choice([-1.0, 999.0]), np.round(random.gamma(2, 20, len(held))))
    return case.with_field(values, "number", f"special value of {share:.0%} of kind {kind}")


def deal_stage(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a category whose levels are written by the outcome, some of them wrongly."""
    share = random.uniform(0.05, 0.2)
    values = flipped(case, random, share)
    levels = np.array([["open", "nurture", "parked"], ["won", "onboarding", "open"]], dtype=object)
    chosen = levels[values, random.integers(0, 3, len(values))]
    return case.with_field(chosen, "category", f"stages, {share:.0%} turned round")


def half_blank(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a copy that is blank for about half of the leads."""
    share, blank = random.uniform(0.02, 0.1), random.uniform(0.4, 0.6)
    values = np.where(random.random(len(case.label)) < blank, np.nan, flipped(case, random, share))
    return case.with_field(values, "boolean", f"copy, {share:.0%} turned round, blank for {blank:.0%}")


def rounded(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a rating from 0 to 10 that follows the outcome."""
    moved = random.uniform(1.5, 2.5)
    values = np.clip(np.round(4 + 2 * (case.label * moved + random.normal(0, 1, len(case.label)))), 0, 10)
    return case.with_field(values, "number", f"rating of 0 to 10 moved by {moved:.1f} deviations")


def later_calls(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a count that goes on growing once the lead has converted."""
    more = random.uniform(3, 6)
    values = random.poisson(1 + more * case.label).astype(float)
    return case.with_field(values, "number", f"count of 1, {1 + more:.1f} for converters")


def owner(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the colleague who is given leads once they are about to convert."""
    share = random.uniform(0.8, 0.95)
    closers = random.random(len(case.label)) < np.where(case.label == 1, share, 0.1)
    names = np.array([["ada", "bob", "cid", "dot"], ["eve", "fay", "eve", "fay"]], dtype=object)
    chosen = names[closers.astype(int), random.integers(0, 4, len(closers))]
    return case.with_field(chosen, "category", f"colleague of {share:.0%} of the converters")


def in_one_segment(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant a copy that is one only in the larger part of the leads; elsewhere it is noise."""
    share, part = random.uniform(0.0, 0.05), random.uniform(0.7, 0.9)
    noise = random.random(len(case.label)) < case.label.mean()
    values = np.where(random.random(len(case.label)) < part, flipped(case, random, share), noise).astype(float)
    return case.with_field(values, "boolean", f"copy, {share:.0%} turned round, in {part:.0%} of the leads")


def ids_by_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Give ids in the order of the outcome, some of them by chance."""
    share = random.uniform(0.0, 0.1)
    place = np.argsort(np.argsort(flipped(case, random, share) + random.random(len(case.label)) / 2))
    frame = case.frame.assign(lead_id=[f"L{number:06d}" for number in place])
    return replace(case, what=f"ids by outcome, {share:.0%} turned round", frame=frame, suspect="lead_id")


def rows_by_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Write the file as so many exports, each with the converters first."""
    parts = int(random.integers(2, 20))
    part = np.sort(random.integers(0, parts, len(case.label)))
    order = np.argsort(np.lexsort((random.random(len(part)), 1 - case.label, part)))
    what = f"file of {parts} exports, converters first"
    return replace(case, what=what, evidence=replace(case.evidence, order=order), suspect="order")


def copies_aside(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Keep leads aside of which some are copies of leads to learn from."""
    share = random.uniform(0.08, 0.3)
    chosen = random.permutation(len(case.frame))
    size = len(chosen) // 4
    copied = chosen[size : size + int(share * size)]
    aside = case.frame.iloc[np.r_[chosen[: size - len(copied)], copied]].reset_index(drop=True)
    learn = case.rows(np.sort(chosen[size:]), f"{share:.0%} of the leads kept aside are copies")
    return replace(learn, evidence=replace(case.evidence, aside=aside), suspect="split")


def changed_at_outcome(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Change a field when the outcome comes for part of the converters, and now and then for all."""
    share, size = random.uniform(0.4, 0.9), len(case.frame)
    created = beginnings(case, random)
    frame = case.frame.assign(created_at=created)
    won = np.flatnonzero(case.label == 1)
    closed = created[won] + (random.gamma(2, 30, len(won)) * DAY).astype(np.int64)
    ids, name = frame["lead_id"].to_numpy(), case.fields[int(random.integers(len(case.fields)))].name
    crowd = random.random(len(won)) < share
    stirred = random.integers(0, size, size)
    at = [closed[crowd] + (random.normal(0, 0.5, crowd.sum()) * DAY).astype(np.int64)]
    at.append(created[stirred] + (random.random(size) * 100 * DAY).astype(np.int64))
    changes = pd.DataFrame({"lead_id": np.r_[ids[won][crowd], ids[stirred]], "changed_at": np.concatenate(at)})
    outcomes = pd.DataFrame({"lead_id": ids[won], "occurred_at": closed})
    evidence = replace(case.evidence, changes=changes.assign(field=name), outcomes=outcomes)
    what = f"changed at the outcome for {share:.0%} of the converters"
    return replace(case, what=what, frame=frame, evidence=evidence, suspect=name)


def dated_later(case: Case, _: Case, random: np.random.Generator) -> Case:
    """Plant the date of the last sign of life, which for converters is after the look."""
    share, size = random.uniform(0.5, 0.9), len(case.frame)
    look = case.frame["as_of"].to_numpy() if "as_of" in case.frame else beginnings(case, random)
    later = (case.label == 1) & (random.random(size) < share)
    seen = look + (np.where(later, random.gamma(2, 20, size), -random.gamma(2, 20, size)) * DAY).astype(np.int64)
    if random.integers(2):
        values, kind = seen / 1_000_000.0, "number"
    else:
        values, kind = pd.to_datetime(seen, unit="us").strftime("%Y-%m-%d").to_numpy(dtype=object), "category"
    held = replace(case, frame=case.frame.assign(as_of=look))
    return held.with_field(values, kind, f"dates after the look for {share:.0%} of the converters")


PLANTS = (
    known_leak, copy, mark, days_until_close, deal_value, filled, lost_reason, banned_name, noisy_number,
    special_value, deal_stage, half_blank, rounded, later_calls, owner, in_one_segment, ids_by_outcome,
    rows_by_outcome, copies_aside, changed_at_outcome, dated_later,
)  # fmt: skip
