"""Small files of leads that show a piece of advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from advice_attempt import Attempt


def write_leads(
    at: Attempt,
    *,
    leads: int = 200,
    every: int = 3,
    header: str = "id,won,visits",
    values: tuple[str, str] = ("yes", "no"),
) -> None:
    """Write leads.csv: an id, whether the lead converted, and a number that tells something of it.

    Parameters
    ----------
    at
        The attempt.
    leads
        Number of leads.
    every
        One in so many converts.
    header
        Names of the three columns.
    values
        What the second column says of leads that converted, and of others.
    """
    lines = [f"A{n},{values[bool(n % every)]},{visits(n, won=n % every == 0)}" for n in range(leads)]
    (at.folder / "leads.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def prepare_small(at: Attempt, *lines: str) -> None:
    """Write leads.csv and its params, by which few leads are trained on quickly."""
    (at.folder / "leads.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    at.do("leadml init leads.csv")
    at.prepare("limits.allow_small", value=True)
    at.prepare("tracking.enabled", value=False)
    at.prepare("model.max_rounds", 25)
    at.prepare("evaluation.draws", 50)


def visits(number: int, *, won: bool) -> int:
    """Return the visits of a lead: the most of three draws where it converted, and else one draw."""
    return int(np.random.default_rng(number).integers(0, 10, size=3 if won else 1).max())


def day(number: int) -> str:
    """Return a day of 2025."""
    return f"2025-{1 + number // 28 % 12:02}-{1 + number % 28:02}"
