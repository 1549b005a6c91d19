"""Figures of a review: the same tables give the same SVG, whatever is known and however large it is."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from leadml.publish.review_figures import FEW, HIGHEST, LOWEST, evidence_figure, period_figure


def _evidence(*values: float) -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=len(values)).strftime("%Y-%m-%d")
    table = pd.DataFrame({"day": days, "evidence": values})
    return pd.concat([table.assign(of=name) for name in ("level", "ranking")], ignore_index=True)


def _periods(*values: float, figure: str = "rate", stage: str = "") -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=len(values), freq="30D").strftime("%Y-%m-%d")
    value = np.array(values)
    return pd.DataFrame(
        {"period": days, "figure": figure, "stage": stage, "value": value, "low": value - 0.1, "high": value + 0.1}
    )


@pytest.mark.slow
def test_the_same_evidence_gives_the_same_bytes() -> None:
    """No date of today and no random id is in a drawing; both lines and the limit are named."""
    drawing = evidence_figure(_evidence(0.1, 1.0, 200.0), limit=100.0)

    assert drawing == evidence_figure(_evidence(0.1, 1.0, 200.0), limit=100.0)
    assert drawing.startswith("<svg")
    assert all(f">{name}<" in drawing for name in ("level", "ranking", "limit"))
    assert drawing != evidence_figure(_evidence(0.1, 1.0, 300.0), limit=100.0)


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.0, 1e-300, 1e300])
def test_evidence_without_end_is_drawn_at_an_end(value: float) -> None:
    """Below or above that nothing more is said, so the drawing is that of the end."""
    end = LOWEST if value < 1 else HIGHEST * 100.0

    assert evidence_figure(_evidence(1.0, value), limit=100.0) == evidence_figure(_evidence(1.0, end), limit=100.0)
    assert "nan" not in evidence_figure(_evidence(value), limit=100.0)


def test_the_points_of_long_lines_have_no_marks() -> None:
    """A point of a short line has one, else a line of one point is not seen; neither is drawn with a warning."""
    few, many = (evidence_figure(_evidence(*[1.0] * count), limit=100.0) for count in (FEW - 1, FEW))

    assert few.count("<use") > many.count("<use")


def test_evidence_of_one_kind_alone_is_drawn() -> None:
    """Where no score has its parts there is none of the ranking."""
    table = _evidence(1.0, 2.0)

    assert ">level<" in evidence_figure(table[table["of"] == "level"], limit=100.0)


@pytest.mark.slow
def test_a_figure_by_period_shows_what_was_said_and_what_came() -> None:
    """Each only if it is known; the same tables give the same bytes."""
    estimated, realised = _periods(0.2, 0.3, 0.25), _periods(0.2, 0.35)
    both = period_figure(estimated, realised, "rate", "share")
    only = period_figure(estimated, pd.DataFrame(), "rate", "share")
    none = period_figure(pd.DataFrame(), pd.DataFrame(), "rate", "share")

    assert both == period_figure(estimated, realised, "rate", "share")
    assert ("estimated, before outcomes" in both, ">came<" in both) == (True, True)
    assert ("estimated, before outcomes" in only, ">came<" in only) == (True, False)
    assert "estimated" not in none
    assert none.startswith("<svg")


def test_only_the_rows_of_the_figure_and_the_stage_are_drawn() -> None:
    """Rows of another figure or another stage change nothing."""
    table = _periods(0.2, 0.3)
    others = pd.concat([table, _periods(0.9, figure="roc_auc"), _periods(0.9, stage="MQL")], ignore_index=True)

    assert period_figure(others, table, "rate", "x") == period_figure(table, table, "rate", "x")
    assert period_figure(others, table, "rate", "x", stage="MQL") != period_figure(others, table, "rate", "x")


def test_ends_that_are_not_known_or_turned_round_are_drawn() -> None:
    """An estimate may lie outside its interval of draws; a figure may have none."""
    table = _periods(0.2, 0.3).assign(low=[0.25, np.nan], high=[0.15, np.nan])

    assert period_figure(table, table, "rate", "share").startswith("<svg")


def test_a_label_is_text() -> None:
    """HTML in it is escaped."""
    drawing = period_figure(_periods(0.2), pd.DataFrame(), "rate", "<script>alert(1)</script>")

    assert "<script" not in drawing
    assert re.search(r"&lt;script&gt;", drawing)
