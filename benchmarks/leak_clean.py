"""Leads without a leak, drawn by seed: the gate must not stop them.

What enters is real leads without their known leak, or nothing but a generator; what leaves is a clean case.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from leak_cases import BEGINNING, DAY, Case, as_case, beginnings, flipped
from scipy.special import expit


def some_rows(case: Case, random: np.random.Generator) -> Case:
    """Return part of the rows."""
    size = int(len(case.frame) * random.uniform(0.4, 0.9))
    return case.rows(np.sort(random.permutation(len(case.frame))[:size]), f"{size:,} of the rows")


def some_columns(case: Case, random: np.random.Generator) -> Case:
    """Return part of the columns."""
    number = int(random.integers(3, len(case.fields)))
    kept = {int(at) for at in random.permutation(len(case.fields))[:number]}
    return replace(
        case, what=f"{number} of the columns", fields=tuple(f for at, f in enumerate(case.fields) if at in kept)
    )


def drawn_again(case: Case, random: np.random.Generator) -> Case:
    """Return rows drawn with replacement."""
    return case.rows(random.integers(0, len(case.frame), len(case.frame)), "rows drawn with replacement")


def noisy_labels(case: Case, random: np.random.Generator) -> Case:
    """Return the rows with some labels turned round."""
    share = random.uniform(0.02, 0.1)
    return replace(
        case,
        what=f"{share:.0%} of the labels turned round",
        frame=case.frame.assign(converted=flipped(case, random, share)),
    )


def shuffled_labels(case: Case, random: np.random.Generator) -> Case:
    """Return the rows with labels that mean nothing."""
    return replace(case, what="labels shuffled", frame=case.frame.assign(converted=random.permutation(case.label)))


def rare_labels(case: Case, random: np.random.Generator) -> Case:
    """Return all other leads and few converters."""
    share = random.uniform(0.01, 0.03)
    wanted = int(share * (case.label == 0).sum())
    kept = np.r_[np.flatnonzero(case.label == 0), random.permutation(np.flatnonzero(case.label == 1))[:wanted]]
    return case.rows(np.sort(kept), f"{share:.1%} converters")


def some_aside(case: Case, random: np.random.Generator) -> Case:
    """Keep leads aside, with few columns or many: those that are alike are no copies."""
    number = int(random.integers(2, len(case.fields) + 1))
    kept = {int(at) for at in random.permutation(len(case.fields))[:number]}
    chosen = random.permutation(len(case.frame))
    aside = case.frame.iloc[chosen[: len(chosen) // 4]].reset_index(drop=True)
    learn = case.rows(np.sort(chosen[len(chosen) // 4 :]), f"a quarter kept aside, {number} columns")
    fields = tuple(one for at, one in enumerate(case.fields) if at in kept)
    return replace(learn, fields=fields, evidence=replace(case.evidence, aside=aside))


def honest_changes(case: Case, random: np.random.Generator) -> Case:
    """Change fields now and then, somewhat more often shortly before the outcome."""
    size = len(case.frame)
    created, won = beginnings(case, random), np.flatnonzero(case.label == 1)
    frame = case.frame.assign(created_at=created)
    closed = created[won] + (random.gamma(2, 30, len(won)) * DAY).astype(np.int64)
    stirred, ids = random.integers(0, size, 3 * size), frame["lead_id"].to_numpy()
    before = random.random(len(won)) < random.uniform(0.02, 0.15)
    at = np.r_[
        created[stirred] + (random.random(len(stirred)) * 100 * DAY).astype(np.int64),
        closed[before] - (random.gamma(2, 5, before.sum()) * DAY).astype(np.int64),
    ]
    changes = pd.DataFrame({"lead_id": np.r_[ids[stirred], ids[won][before]], "changed_at": at})
    names = np.array([one.name for one in case.fields], dtype=object)
    changes = changes.assign(field=random.choice(names, len(changes)))
    outcomes = pd.DataFrame({"lead_id": ids[won], "occurred_at": closed})
    evidence = replace(case.evidence, changes=changes, outcomes=outcomes)
    return replace(case, what="honest changes", frame=frame, evidence=evidence)


REAL_CLEAN = (
    some_rows, some_columns, drawn_again, noisy_labels, shuffled_labels, rare_labels, some_aside, honest_changes,
)  # fmt: skip


def made(what: str, columns: dict[str, np.ndarray], margin: np.ndarray, random: np.random.Generator) -> Case:
    """Return made-up leads that convert with the log-odds given."""
    label = (random.random(len(margin)) < expit(margin)).astype(np.int8)
    return replace(as_case("made up", pd.DataFrame(columns), label), what=what)


def strong_cause(random: np.random.Generator) -> Case:
    """Return leads with one honest number that is very strong, beside several weaker ones."""
    size, strength = int(random.integers(2000, 8000)), random.uniform(1.6, 2.6)
    numbers = random.normal(size=(size, 8))
    weights = np.r_[strength, random.uniform(0.2, 0.9, 7)]
    margin = numbers @ weights - random.uniform(1.0, 3.0)
    columns = {f"x{at}": numbers[:, at] for at in range(8)}
    return made(f"an honest number of weight {strength:.1f}", columns, margin, random)


def strong_causes(random: np.random.Generator) -> Case:
    """Return leads with several honest numbers that go together."""
    size = int(random.integers(2000, 8000))
    numbers = random.normal(size=(size, 6)) + random.uniform(0.3, 0.8) * random.normal(size=(size, 1))
    margin = numbers @ np.r_[random.uniform(1.0, 1.8), random.uniform(0.3, 1.0, 5)] - random.uniform(1.0, 3.0)
    return made("honest numbers that go together", {f"x{at}": numbers[:, at] for at in range(6)}, margin, random)


def strong_level(random: np.random.Generator) -> Case:
    """Return leads with a source whose leads convert far more often than those of others."""
    size, rate = int(random.integers(2000, 8000)), random.uniform(0.5, 0.7)
    source = random.choice(6, size, p=[0.1, 0.3, 0.2, 0.2, 0.1, 0.1])
    numbers = random.normal(size=(size, 4))
    margin = np.where(source == 0, np.log(rate / (1 - rate)), -2.4 + 0.2 * source) + numbers @ [0.7, 0.5, 0.3, 0.0]
    levels = np.array(["demo request", "web", "event", "partner", "outbound", "other"], dtype=object)
    columns = {"origin": levels[source]} | {f"x{at}": numbers[:, at] for at in range(4)}
    return made(f"a source of which {rate:.0%} convert", columns, margin, random)


def drifting(random: np.random.Generator) -> Case:
    """Return leads in the order of their dates whose rate rises, with columns that are clocks."""
    size = int(random.integers(3000, 8000))
    time = np.sort(random.random(size))
    numbers = random.normal(size=(size, 5))
    margin = -3 + random.uniform(2, 4) * time + numbers @ [0.8, 0.5, 0.3, 0.0, 0.0]
    clocks = {"index": np.round(time * 12), "price": time + random.normal(0, 0.1, size)}
    case = made("a rate that rises, and clocks", clocks | {f"x{at}": numbers[:, at] for at in range(5)}, margin, random)
    return replace(case, frame=case.frame.assign(created_at=(BEGINNING + time * 500 * DAY).astype(np.int64)))


def many_levels(random: np.random.Generator) -> Case:
    """Return leads with categories of many levels, some of them strong."""
    size = int(random.integers(2000, 8000))
    margin, columns = np.full(size, -2.0), {}
    for at, levels in enumerate((5, 30, 200, 1500)):
        chosen = np.minimum(random.zipf(1.5, size), levels) - 1
        margin += random.normal(0, 0.8, levels)[chosen]
        columns[f"c{at}"] = np.array([f"v{level}" for level in chosen], dtype=object)
    return made("categories of up to 1,500 levels", columns, margin, random)


def blanks(random: np.random.Generator) -> Case:
    """Return leads whose blanks say something, as of interest."""
    size = int(random.integers(2000, 8000))
    interest = random.normal(size=size)
    numbers = interest[:, None] + random.normal(size=(size, 5))
    numbers[random.random((size, 5)) < expit(-1.0 * interest)[:, None]] = np.nan
    columns = {f"x{at}": numbers[:, at] for at in range(5)}
    return made("blanks that follow interest", columns, 1.5 * interest - 2, random)


MADE_CLEAN = (strong_cause, strong_causes, strong_level, drifting, many_levels, blanks)
