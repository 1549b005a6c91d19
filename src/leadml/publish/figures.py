"""Draw the tables of an evaluation as SVG text.

The same table gives the same bytes. The module writes no file and shows no value of a lead: only names of fields and
stages.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

    from leadml.model.judge.evaluation import Evaluation

INK, GREY, LINE, ACCENT, CONTRAST = "#1f2933", "#7b8794", "#d9dee3", "#1f6f8b", "#d98324"
MAX_FIELDS = 30  # of 0.29 inches each: 9.6 inches, which fit on a page of A4 or US Letter
MAX_NAME_LENGTH = 34  # leaves a third or more of the narrow figure to the bars; tables show the whole name
WIDTH, NARROW = 5.6, 4.4  # inches: the full width, and less next to a table, so that the font keeps its size
DECORATION = re.compile(r"^.*?(?=<svg)|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)


def all_figures(evaluation: Evaluation, *, target: str, unit: str = "leads") -> dict[str, str]:
    """Return every figure by its name; the figure of stages only if the target drives stages."""
    drawings = {
        "importance": importance_figure(evaluation.importance),
        "reliability": reliability_figure(evaluation, target=target, unit=unit),
        "gain": gain_figure(evaluation.deciles, unit=unit),
    }
    return drawings if evaluation.stages.empty else {**drawings, "stages": stages_figure(evaluation, unit=unit)}


def importance_figure(importance: pd.DataFrame) -> str:
    """Return bars of the mean absolute points of each field with intervals, the largest on top."""
    top_fields = importance.head(MAX_FIELDS).iloc[::-1]

    def draw(axes: Axes) -> None:
        colours = [ACCENT if group == "fit" else CONTRAST for group in top_fields["group"]]
        errors = [top_fields["value"] - top_fields["low"], top_fields["high"] - top_fields["value"]]
        names = [_shortened(name) for name in top_fields["field"]]
        axes.barh(range(len(top_fields)), top_fields["value"], color=colours, height=0.62)
        axes.errorbar(
            top_fields["value"],
            range(len(top_fields)),
            xerr=_not_negative(errors),
            fmt="none",
            ecolor=INK,
            elinewidth=1,
        )
        axes.set_yticks(range(len(top_fields)), names)
        axes.set_ylim(-0.6, len(top_fields) - 0.4)
        axes.set_xlabel("mean points, up or down\n(blue: fit, orange: engagement)")
        axes.grid(visible=False, axis="y")

    return drawn(draw, height=0.9 + 0.29 * max(len(top_fields), 3), width=NARROW)


def reliability_figure(evaluation: Evaluation, *, target: str, unit: str = "leads") -> str:
    """Return the reliability diagram: observed rate against predicted probability, in 15 bins of equal size."""
    table = evaluation.reliability

    def draw(axes: Axes) -> None:
        upper = 1.08 * max(table["high"].max(), table["probability"].max())
        axes.plot([0, upper], [0, upper], color=GREY, linewidth=1, linestyle="--", label="perfectly calibrated")
        errors = [table["value"] - table["low"], table["high"] - table["value"]]
        axes.errorbar(
            table["probability"],
            table["value"],
            yerr=_not_negative(errors),
            fmt="o",
            color=ACCENT,
            markersize=4,
            elinewidth=1,
            label=f"{unit} of the holdout",
        )
        axes.set(xlim=(0, upper), ylim=(0, upper), xlabel="predicted probability")
        axes.set_ylabel(f"share that reached {_shortened(target)}")
        axes.legend(frameon=False, loc="upper left")

    return drawn(draw, height=3.4)


def gain_figure(deciles: pd.DataFrame, *, unit: str = "leads") -> str:
    """Return the gain curve: share of converters reached against share of leads or snapshots worked, best first."""
    gain = deciles[deciles["figure"] == "gain"].sort_values("decile")
    worked = [0, *(10 * gain["decile"])]

    def draw(axes: Axes) -> None:
        low, high, value = ([0, *(100 * gain[name])] for name in ("low", "high", "value"))
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=1, linestyle="--", label="in random order")
        axes.fill_between(worked, low, high, color=ACCENT, alpha=0.18, linewidth=0)
        axes.plot(
            worked, value, color=ACCENT, linewidth=2, marker="o", markersize=3.5, label="highest probability first"
        )
        axes.set(xlim=(0, 100), ylim=(0, 102), xlabel=f"% of {unit} worked", ylabel="% of converters reached")
        axes.legend(frameon=False, loc="lower right")

    return drawn(draw, height=3.4, width=NARROW)


def stages_figure(evaluation: Evaluation, *, unit: str = "leads") -> str:
    """Return bars of the share that converts at or above each cut with intervals, and a line at the base rate."""
    table = evaluation.stages[evaluation.stages["figure"] == "precision"]
    base_rate = 100 * evaluation.conversions / evaluation.leads

    def draw(axes: Axes) -> None:
        value = 100 * table["value"].fillna(0.0)
        errors = [value - 100 * table["low"].fillna(0.0), 100 * table["high"].fillna(0.0) - value]
        axes.bar(table["stage"], value, color=ACCENT, width=0.5)
        axes.errorbar(table["stage"], value, yerr=_not_negative(errors), fmt="none", ecolor=INK, elinewidth=1)
        axes.axhline(base_rate, color=CONTRAST, linewidth=1.2, linestyle="--")
        coordinates: Any = ("axes fraction", "data")
        axes.annotate(
            f"all {unit}\n{base_rate:.1f}%", (1.01, base_rate), xycoords=coordinates, va="center", color=CONTRAST
        )
        axes.set_ylabel("% that convert at or above the cut")
        axes.grid(visible=False, axis="x")

    return drawn(draw, height=3.0)


def _not_negative(errors: list[Any]) -> list[Any]:
    return [error.clip(lower=0.0).fillna(0.0) for error in errors]


def _shortened(name: str) -> str:
    safe = name.replace("$", r"\$")
    return safe if len(safe) <= MAX_NAME_LENGTH else safe[: MAX_NAME_LENGTH - 1] + "…"


def drawn(draw: Callable[[Axes], None], *, height: float, width: float = WIDTH) -> str:
    """Return what a function draws on axes as SVG text, in the look of the report; sizes are in inches."""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    style: Any = {
        "svg.hashsalt": "leadml",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.edgecolor": LINE,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
    }
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the reader's fonts have letters that matplotlib's lack
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return DECORATION.sub("", target.getvalue())
