"""Draw the tables of an evaluation.

What enters is tables; what leaves is SVG text, the same bytes for the same table.
One drawing library, no state of its own, no file, and no word of a lead: only names of fields and stages.
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

INK, SOFT, LINE, ACCENT, SECOND = "#1f2933", "#7b8794", "#d9dee3", "#1f6f8b", "#d98324"
MOST_FIELDS = 30
LONGEST_NAME = 34
WIDTH, BESIDE = 5.6, 4.4  # inches: a whole card, and a part of one beside a table, so that letters keep their size
DECORATION = re.compile(r"^.*?(?=<svg)|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)


def all_figures(evaluation: Evaluation, *, target: str, unit: str = "leads") -> dict[str, str]:
    """Return every figure by its name; that of the stages only where the target drives any."""
    drawn = {
        "importance": importance_figure(evaluation.importance),
        "reliability": reliability_figure(evaluation, target=target, unit=unit),
        "gain": gain_figure(evaluation.deciles, unit=unit),
    }
    return drawn if evaluation.stages.empty else {**drawn, "stages": stages_figure(evaluation, unit=unit)}


def importance_figure(importance: pd.DataFrame) -> str:
    """Return bars of the mean points of each field, strongest on top, with intervals."""
    shown = importance.head(MOST_FIELDS).iloc[::-1]

    def draw(axes: Axes) -> None:
        colours = [ACCENT if group == "fit" else SECOND for group in shown["group"]]
        errors = [shown["value"] - shown["low"], shown["high"] - shown["value"]]
        names = [_short(name) for name in shown["field"]]
        axes.barh(range(len(shown)), shown["value"], color=colours, height=0.62)
        axes.errorbar(shown["value"], range(len(shown)), xerr=_positive(errors), fmt="none", ecolor=INK, elinewidth=1)
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.set_xlabel("mean points up or down\n(blue: fit, orange: engagement)")
        axes.grid(visible=False, axis="y")

    return _svg(draw, height=0.9 + 0.29 * max(len(shown), 3), width=BESIDE)


def reliability_figure(evaluation: Evaluation, *, target: str, unit: str = "leads") -> str:
    """Return the rate that came true against the probability that was said, in 15 bins of equal mass."""
    table = evaluation.reliability

    def draw(axes: Axes) -> None:
        top = 1.08 * max(table["high"].max(), table["probability"].max())
        axes.plot([0, top], [0, top], color=SOFT, linewidth=1, linestyle="--", label="perfect")
        errors = [table["value"] - table["low"], table["high"] - table["value"]]
        axes.errorbar(
            table["probability"],
            table["value"],
            yerr=_positive(errors),
            fmt="o",
            color=ACCENT,
            markersize=4,
            elinewidth=1,
            label=f"{unit} kept aside",
        )
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="probability said", ylabel=f"share that became {_short(target)}")
        axes.legend(frameon=False, loc="upper left")

    return _svg(draw, height=3.4)


def gain_figure(deciles: pd.DataFrame, *, unit: str = "leads") -> str:
    """Return the share of converters reached against the share of leads, or looks at them, worked, best first."""
    gain = deciles[deciles["figure"] == "gain"].sort_values("decile")
    worked = [0, *(10 * gain["decile"])]

    def draw(axes: Axes) -> None:
        low, high, value = ([0, *(100 * gain[name])] for name in ("low", "high", "value"))
        axes.plot([0, 100], [0, 100], color=SOFT, linewidth=1, linestyle="--", label="drawn at random")
        axes.fill_between(worked, low, high, color=ACCENT, alpha=0.18, linewidth=0)
        axes.plot(worked, value, color=ACCENT, linewidth=2, marker="o", markersize=3.5, label="best first")
        axes.set(xlim=(0, 100), ylim=(0, 102), xlabel=f"% of {unit} worked", ylabel="% of converters reached")
        axes.legend(frameon=False, loc="lower right")

    return _svg(draw, height=3.4, width=BESIDE)


def stages_figure(evaluation: Evaluation, *, unit: str = "leads") -> str:
    """Return the share that converts at or above each cut, with intervals, beside the rate of all."""
    table = evaluation.stages[evaluation.stages["figure"] == "precision"]
    base = 100 * evaluation.conversions / evaluation.leads

    def draw(axes: Axes) -> None:
        value = 100 * table["value"].fillna(0.0)
        errors = [value - 100 * table["low"].fillna(0.0), 100 * table["high"].fillna(0.0) - value]
        axes.bar(table["stage"], value, color=ACCENT, width=0.5)
        axes.errorbar(table["stage"], value, yerr=_positive(errors), fmt="none", ecolor=INK, elinewidth=1)
        axes.axhline(base, color=SECOND, linewidth=1.2, linestyle="--")
        where: Any = ("axes fraction", "data")
        axes.annotate(f"all {unit}\n{base:.1f}%", (1.01, base), xycoords=where, va="center", color=SECOND)
        axes.set_ylabel("% that convert at or above the cut")
        axes.grid(visible=False, axis="x")

    return _svg(draw, height=3.0)


def _positive(errors: list[Any]) -> list[Any]:
    return [error.clip(lower=0.0).fillna(0.0) for error in errors]


def _short(name: str) -> str:
    safe = name.replace("$", r"\$")
    return safe if len(safe) <= LONGEST_NAME else safe[: LONGEST_NAME - 1] + "…"


def _svg(draw: Callable[[Axes], None], *, height: float, width: float = WIDTH) -> str:
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
        warnings.filterwarnings("ignore", "Glyph")  # a reader's own fonts show what matplotlib's cannot measure
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return DECORATION.sub("", target.getvalue())
