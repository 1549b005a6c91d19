"""The parts of a model, how far each is behind the best one, and what weight it gets: the figure of decision 1.

Models of the bundled leads, a shop's sessions and the bank's campaigns, shuffled and in the order of time, at default
params. For each set the weight of all parts of a family (a kind of part with one half-life), and for each part its
out-of-fold log loss less the least one; of trees that of the best number of rounds.

Run with: python benchmarks/parts.py [--json] [--keep] [--recorded] [--data DIR]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checkouts_fit import Sections
from compare_data import READ, divided_data
from measure import RESULTS, ROOT, data_folder, finish, options

from leadml.model.fit.estimator import fit_model
from leadml.params import SplitParams

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES = {
    "bank_small": "bundled leads",
    "shoppers": "a shop's sessions",
    "bank_random": "campaigns, shuffled",
    "bank_forward": "campaigns, by time",
}
COLOURS = {"linear": "#1f6f8b", "trees": "#d98324"}
MEMORIES = {0.0: ("all leads alike", ""), 0.25: ("half-life a quarter", "//"), 0.0625: ("half-life a sixteenth", "xx")}


def main() -> None:
    """Fit each set, print its weights, draw the figure."""
    chosen = options(__doc__ or "", "parts", (ROOT / "params.yaml", *READ), data=data_folder())
    figures: dict[str, Any] = {}
    for data in divided_data(chosen.data):
        fitted = fit_model(data.learn, data.fields, Sections(), split=data.split(SplitParams()))
        figures[data.name] = parts_of(fitted.choices)
        print(f"{data.name}: {figures[data.name]['families']}")
    if chosen.keep:
        _draw(figures)
    finish("parts", figures, chosen)


def parts_of(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weight of each family, and of each part the weight and the log loss above the least one."""
    names = [name.removeprefix("weight_") for name in choices if name.startswith("weight_")]
    least = min(choices[f"log_loss_{name}"] for name in names)
    parts = {
        name: {"weight": choices[f"weight_{name}"], "above": choices[f"log_loss_{name}"] - least} for name in names
    }
    families: dict[str, float] = {}
    for name, part in parts.items():
        families[family_of(name)] = families.get(family_of(name), 0.0) + part["weight"]
    return {"families": families, "parts": parts}


def family_of(name: str) -> str:
    """Return the kind and the half-life of a part."""
    kind = "linear" if name.startswith("linear") else "trees"
    return f"{kind} {float(name.partition('half-life_')[2] or 0):g}"


def _draw(figures: dict[str, Any]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "leadml"
    from matplotlib import pyplot as plt

    figure, (bars, *clouds) = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
    names = [name for name in TITLES if name in figures]
    for row, name in enumerate(names):
        begin = 0.0
        for family, weight in sorted(figures[name]["families"].items()):
            kind, half_life = family.split()
            memory, hatch = MEMORIES[float(half_life)]
            look = {"color": COLOURS[kind], "hatch": hatch, "edgecolor": "white", "label": f"{kind}, {memory}"}
            bars.barh(row, weight, left=begin, **look)
            begin += weight
    bars.set_yticks(range(len(names)), [TITLES[name] for name in names])
    bars.set(xlabel="weight of each family", xlim=(0, 1))
    for axis, name in zip(clouds, [name for name in ("bank_small", "bank_forward") if name in figures], strict=False):
        for part, values in figures[name]["parts"].items():
            axis.plot(values["above"], values["weight"], "o", color=COLOURS[family_of(part).split()[0]], alpha=0.7)
        axis.set(xlabel="log loss above the least", ylabel="weight of each part", ylim=0)
        axis.set_title(TITLES[name], fontsize="medium")
    labels = dict(zip(*reversed(bars.get_legend_handles_labels()), strict=True))
    figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(RESULTS / "parts.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
