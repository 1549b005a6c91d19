"""Draw a replay of the past as SVG text: a figure of each policy by period. The same tables give the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.publish.figures import ACCENT, CONTRAST, GREY, drawn

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LOOKS = {"once": (GREY, "--"), "refit": (CONTRAST, "-"), "loop": (ACCENT, "-"), "oracle": (GREY, ":")}
TICKS = 12  # periods that are named on the axis


def loss_figure(periods: pd.DataFrame) -> str:
    """Return the log loss of each policy by period.

    Parameters
    ----------
    periods
        Of `leadml.review.replay.figures.period_figures`.
    """

    def draw(axes: Axes) -> None:
        for policy, (colour, style) in LOOKS.items():
            rows = periods[periods["policy"] == policy]
            axes.plot(
                range(len(rows)), rows["log_loss"].to_numpy(), color=colour, linestyle=style, marker="o", ms=3,
                label=policy,
            )  # fmt: skip
        _finish(axes, periods, "log loss")

    return drawn(draw, height=2.8)


def volume_figure(periods: pd.DataFrame) -> str:
    """Return by period the share of leads that converted, and what each policy said of it.

    Parameters
    ----------
    periods
        As for `loss_figure`.
    """

    def draw(axes: Axes) -> None:
        came = periods[periods["policy"] == "loop"]
        axes.bar(range(len(came)), came["converted"] / came["leads"], color=GREY, alpha=0.3, label="came")
        for policy in ("once", "refit", "loop"):
            rows = periods[periods["policy"] == policy]
            colour, style = LOOKS[policy]
            said = (rows["expected"] / rows["leads"]).to_numpy()
            axes.plot(range(len(rows)), said, color=colour, linestyle=style, marker="o", ms=3, label=policy)
        _finish(axes, periods, "share that converts")

    return drawn(draw, height=2.8)


def _finish(axes: Axes, periods: pd.DataFrame, label: str) -> None:
    names = periods["period"].drop_duplicates().tolist()
    step = -(-len(names) // TICKS)
    axes.set_xticks(range(0, len(names), step), names[::step])
    axes.set_ylabel(label)
    axes.legend(frameon=False, loc="best", ncols=2)
