"""Draw a review over time as SVG text: the evidence against the version, and what was said beside what came.

The same tables give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.publish.figures import ACCENT, CONTRAST, GREY, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Evidence below the first is drawn there: it says that nothing points to a change. Above a thousand times the limit a
# line is drawn there: no more is needed, and the part near the limit stays legible.
LOWEST, HIGHEST = 1e-3, 1e3
FEW, ROOM = 20, 5  # points that get a mark each, and days that are left free at both ends


def evidence_figure(evidence: pd.DataFrame, *, limit: float) -> str:
    """Return the evidence about level and ranking over time, with the limit of an alarm.

    Parameters
    ----------
    evidence
        ``day`` (ISO 8601), ``of`` (``level`` or ``ranking``) and ``evidence``.
    limit
        The evidence from which something is to be done.
    """

    def draw(axes: Axes) -> None:
        for name, colour in (("level", CONTRAST), ("ranking", ACCENT)):
            rows = evidence[evidence["of"] == name]
            values = rows["evidence"].clip(LOWEST, HIGHEST * limit).to_numpy()
            marker = "o" if len(rows) < FEW else "None"  # a line of one point is not seen
            axes.plot(_days(rows["day"]), values, marker=marker, ms=3, color=colour, linewidth=1.6, label=name)
        axes.axhline(limit, color=GREY, linewidth=1, linestyle="--", label="limit")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")  # 0.001 is read sooner than a power of ten
        axes.yaxis.set_minor_formatter(lambda *_: "")
        highest = max(3 * float(evidence["evidence"].max()), 10 * limit)
        axes.set_ylim(LOWEST / 1.5, min(highest, 2 * HIGHEST * limit))
        axes.set_ylabel("evidence against the version")
        axes.set_xlabel("day on which leads were scored")
        axes.legend(frameon=False, loc="upper left", ncols=3)
        _date_axis(axes, evidence["day"].tolist())

    return drawn(draw, height=3.0)


def period_figure(estimated: pd.DataFrame, realised: pd.DataFrame, figure: str, label: str, *, stage: str = "") -> str:
    """Return one figure by period: as it was estimated, and as it came, both with intervals.

    Parameters
    ----------
    estimated, realised
        Tables of `estimated_performance` and `realised_performance` in `leadml.review.performance`.
    figure, stage
        Which rows.
    label
        What the figure is, for the axis.
    """

    def draw(axes: Axes) -> None:
        sources = ((estimated, CONTRAST, "estimated, before outcomes", 3), (realised, ACCENT, "came", -3))
        for table, colour, name, shift in sources:
            rows = table[(table["figure"] == figure) & (table["stage"] == stage)] if len(table) else table
            if len(rows):
                errors = np.vstack([rows["value"] - rows["low"], rows["high"] - rows["value"]])
                errors = np.nan_to_num(np.maximum(errors, 0.0))
                days = _days(rows["period"]) + pd.Timedelta(days=shift)
                look: Any = {"fmt": "o-", "color": colour, "markersize": 4, "elinewidth": 1, "linewidth": 0.8}
                axes.errorbar(days, rows["value"].to_numpy(), yerr=errors, label=name, **look)
        axes.set_ylabel(label)
        axes.set_xlabel("period that begins on")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, loc="best")
        _date_axis(axes, [text for table in (estimated, realised) if len(table) for text in table["period"]])

    return drawn(draw, height=2.8)


def _days(texts: pd.Series) -> Any:
    return pd.to_datetime(texts).to_numpy().astype("datetime64[D]")


def _date_axis(axes: Any, texts: list[str]) -> None:
    """Let the axis show the days of some texts, and a few days around them."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - takes a second to import

    locator: Any = AutoDateLocator
    formatter: Any = ConciseDateFormatter
    ticks = locator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(ticks)
    axes.xaxis.set_major_formatter(formatter(ticks))
    if texts:
        first, last = pd.Timestamp(min(texts)), pd.Timestamp(max(texts))
        room = pd.Timedelta(days=ROOM) + (last - first) / 50
        axes.set_xlim(first - room, last + room)
