"""Small files of leads that show a piece of advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    lines = [f"A{n},{values[bool(n % every)]},{n % 7 + 3 * (n % every == 0)}" for n in range(leads)]
    (at.folder / "leads.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
