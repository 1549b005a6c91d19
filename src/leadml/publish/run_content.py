"""What a run of MLflow holds: metrics, params, tables and figures, and no row of a lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadml.model.judge.evaluation import Evaluation, as_rows
from leadml.publish import figures

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.bundle.contents import Bundle
    from leadml.params import Params

MAX_PARAM_LENGTH = 500  # servers of MLflow from before it allowed 6,000 refuse longer values


def run_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return the metrics of a run with the bounds of their intervals, and the metrics of the baselines."""
    values = {"test_leads": float(evaluation.leads), "ece_by_chance": evaluation.ece_by_chance}
    for row in as_rows(evaluation.metrics):
        name = row["metric"]
        values |= {name: row["value"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
    for row in as_rows(evaluation.models):
        values[f"{row['model']}/{row['metric']}".replace(" ", "_")] = row["value"]
    for row in as_rows(evaluation.stages):
        values[f"{row['stage']}/{row['figure']}"] = row["value"]
    return {name: value for name, value in values.items() if value == value}  # noqa: PLR0124 - NaN is not itself


def run_params(params: Params, bundle: Bundle) -> dict[str, str]:
    """Return every choice of params by its dotted key, and what the fit selected."""
    flat: dict[str, str] = {}
    _flatten(params.as_written(), "", flat)
    flat |= {f"chosen.{name}": str(value) for name, value in bundle.record.choices.items()}
    return {name: value[:MAX_PARAM_LENGTH] for name, value in flat.items()}


def _flatten(value: Any, key: str, flat: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            safe = "".join(c if c.isascii() and (c.isalnum() or c in "_-. /") else "_" for c in name)
            _flatten(inner, f"{key}.{safe}" if key else safe, flat)
    else:
        flat[key] = str(value)


def write_tables_and_figures(folder: Path, bundle: Bundle) -> None:
    """Write the tables of an evaluation and their figures into the folders ``tables`` and ``figures`` of a folder."""
    evaluation = bundle.evaluation
    (folder / "tables").mkdir()
    (folder / "figures").mkdir()
    for name in Evaluation.TABLES:
        getattr(evaluation, name).to_csv(folder / "tables" / f"{name}.csv", index=False)
    bundle.candidates.to_csv(folder / "tables" / "candidates.csv", index=False)
    drawings = figures.all_figures(evaluation, target=bundle.target, unit=bundle.record.unit)
    for name, svg in drawings.items():
        (folder / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")
