"""Decide by several draws of halves what one draw of halves cannot: whether a suspicion is more than chance.

Rates and trees are fitted on one half of the leads and evaluated on the other, so a figure near its limit depends on
the draw. A suspicion stops the training, or warns, where most draws say so. A field that the first draw says nothing of
is not drawn again, because what warns is far below what stops.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from leadml.model.leaks.check import JudgedRows
    from leadml.model.leaks.suspicion import Suspicion

MAJORITY = 3  # of 5 draws; with 3 that agree the others are not made. benchmarks/leaks.py shows what one draw gives


def most_say(find: Callable[[JudgedRows], Iterable[Suspicion]], rows: JudgedRows) -> list[Suspicion]:
    """Return the suspicions of most draws, in the order of the fields; each has the evidence of the first draw for it.

    Parameters
    ----------
    find
        Returns the suspicions of one draw, at most one of each field.
    rows
        The rows that are judged.
    """
    draws = [{suspicion.field: suspicion for suspicion in find(rows)}]
    halves = (rows.with_halves(draw, suspects=draws[0]) for draw in count(1))
    while draws[0] and not _is_decided(draws):
        judged = next(judged for judged in halves if judged.outcome.has_both_classes)
        draws.append({suspicion.field: suspicion for suspicion in find(judged) if suspicion.field in draws[0]})
    names = dict.fromkeys([*(field.field.name for field in rows.fields), *(name for draw in draws for name in draw)])
    said = (_said([draw[name] for draw in draws if name in draw], len(draws)) for name in names)
    return [suspicion for suspicion in said if suspicion]


def _is_decided(draws: Sequence[dict[str, Suspicion]]) -> bool:
    """Return whether no further draw could change which suspicions stop."""
    names = {name for draw in draws for name in draw}
    stops = (sum(name in draw and draw[name].severity == "stop" for draw in draws) for name in names)
    return len(draws) >= MAJORITY and all(max(stop, len(draws) - stop) >= MAJORITY for stop in stops)


def _said(suspicions: Sequence[Suspicion], draws: int) -> Suspicion | None:
    """Return the suspicion of a field of which most draws are at least as sure, None where most have none."""
    stops = [suspicion for suspicion in suspicions if suspicion.severity == "stop"]
    for sure in (stops, suspicions):
        if 2 * len(sure) > draws:
            others = f"{len(sure)} of {draws} draws of halves say so"
            first = next((one for one in sure if one.severity == "warn"), sure[0])
            return first if len(sure) == draws else first.with_evidence(others)
    return None
