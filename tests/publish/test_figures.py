"""Figures: the same table gives the same SVG, and names are shown as they are."""

from __future__ import annotations

import pandas as pd
import pytest

from leadml.publish.figures import gain_figure, importance_figure


def importance(*names: str) -> pd.DataFrame:
    """Return a table of importance with some fields."""
    size = len(names)
    return pd.DataFrame({"field": names, "group": "fit", "value": 2.0, "low": 1.0, "high": 3.0}, index=range(size))


@pytest.mark.slow
def test_the_same_table_gives_the_same_bytes() -> None:
    """No date and no random id is in a drawing."""
    table = importance("age", "job")

    assert importance_figure(table) == importance_figure(table)
    assert importance_figure(table).startswith("<svg")


@pytest.mark.slow
def test_names_are_text_and_long_names_are_shortened() -> None:
    """A dollar sign starts no formula."""
    drawing = importance_figure(importance("price in $ or $", "x" * 50))

    assert "price in $ or $" in drawing
    assert "x" * 33 + "…" in drawing
    assert "x" * 34 not in drawing


def test_at_most_thirty_fields_are_drawn() -> None:
    """The fields with the most points are drawn."""
    drawing = importance_figure(importance(*(f"field {at:02}" for at in range(40))))

    assert "field 29" in drawing
    assert "field 30" not in drawing


def test_the_gain_curve_names_its_unit() -> None:
    """Rows of dated leads are snapshots."""
    gain = pd.DataFrame({"decile": [1, 2], "figure": "gain", "value": [0.5, 1.0], "low": 0.4, "high": 1.0})

    assert "% of snapshots worked" in gain_figure(gain, unit="snapshots")
