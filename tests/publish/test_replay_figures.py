"""The figures of a replay."""

from __future__ import annotations

import pandas as pd
import pytest

from leadml.publish.replay_figures import loss_figure, volume_figure


def _periods(months: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"period": f"{2000 + month // 12}-{month % 12 + 1:02}", "policy": policy, "leads": 100}
            | {"converted": 20 + month % 7, "expected": 21.0, "log_loss": 0.4 + 0.001 * month}
            for month in range(months)
            for policy in ("once", "refit", "loop", "oracle")
        ]
    )


@pytest.mark.parametrize("months", [1, 2, 40])
@pytest.mark.parametrize("draw", [loss_figure, volume_figure])
def test_a_figure_names_policies_and_not_too_many_months(draw: object, months: int) -> None:
    """The same table gives the same bytes."""
    svg = draw(_periods(months))  # type: ignore[operator]
    assert svg == draw(_periods(months))  # type: ignore[operator]
    assert svg.startswith("<svg") or "<svg" in svg[:400]
    assert "2000-01" in svg
    assert sum(f">{2000 + month // 12}-{month % 12 + 1:02}<" in svg for month in range(months)) <= 12
    assert all(f">{policy}<" in svg for policy in ("once", "refit", "loop"))
