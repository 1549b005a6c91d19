"""From the export of a CRM or a spreadsheet to a trained model: init, check, train and score, without an edit.

The same 4,000 leads are written as 20 exports (`export_files`), and 2,000 later leads in the same way. Each export goes
through the four commands as a new user would run them.

- `files`: exports that were trained and whose later leads were scored, of 17.
- `id_right`, `date_right`, `label_right`, `numbers_right`: of these, those whose id, date, won leads and numbers are
  the true ones; an export without such a column counts as right.
- `leaks_used`: fields that are filled in when a lead converts, over all exports.
- `auc_minus_truth`: ROC AUC of the scores on the later leads less that of the true probabilities; of all exports the
  difference farthest from 0.
- `refused_right`: of two exports that must be refused, those that are, for their reason: too few leads, and two columns
  of one name.
- `new_scored`: leads of an export without a label that were scored, of 200.

Run with: python benchmarks/exports.py [--json] [--keep] [--recorded] [--only FILE]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from export_files import DAYS, EXPORTS, FIRST_ID, LEARN, REFUSED, SEED, SINCE, draw_leads, plain
from measure import finish, options
from sklearn.metrics import roc_auc_score

from leadml.leads.check.contract import Contract
from leadml.leads.check.convert import numbers
from leadml.leads.read.files import Dialect, column_names, read_chunks
from leadml.params import label_word, load_params

if TYPE_CHECKING:
    from export_files import Export, Leads

LATER, NEW, LATER_SINCE = 2000, 200, "2025-06-10"
LEAKS = frozenset(
    [
        "Lead Status",
        "Became a Customer Date",
        "Last Modified Date",
        "ConvertedDate",
        "ConvertedAccountId",
        "Status",
        "LastModifiedDate",
        "Lifecycle Stage",
        "IsConverted",
    ]
)
WARNED = 3  # the exit code of a job that is done and has something to look at


def main() -> None:
    """Take each export from the file to scores, print a table."""
    chosen = options(__doc__ or "", "exports", in_parts=True, only="")
    learn = draw_leads(LEARN, seed=SEED, first_id=FIRST_ID, since=SINCE, days=DAYS)
    later = draw_leads(LATER, seed=4, first_id=20_000_001, since=LATER_SINCE, days=120)
    rows = []
    with TemporaryDirectory() as name:
        for export in EXPORTS:
            if chosen.only in {"", export.name}:
                rows.append({"file": export.name, **judge(export, learn, later, Path(name) / export.name)})
                print(rows[-1], flush=True)
        refused = sum(refused_right(export, learn, Path(name) / export.name) for export in REFUSED)
        new = new_scored(learn, Path(name))
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    difference = table["auc_minus_truth"].to_numpy()
    sums = {key: int(table[key].sum()) for key in table if key not in {"file", "auc_minus_truth"}}
    worst = float(difference[np.nanargmax(np.abs(difference))])
    finish("exports", {**sums, "auc_minus_truth": worst, "refused_right": refused, "new_scored": new}, chosen)


def judge(export: Export, learn: Leads, later: Leads, folder: Path) -> dict[str, Any]:
    """Return what became of one export."""
    folder.mkdir()
    export.write(export.frame(learn.frame), folder / export.name)
    export.write(export.frame(later.frame), folder / f"later_{export.name}")
    outcome: dict[str, Any] = {
        "files": False, "id_right": False, "date_right": False, "label_right": False, "numbers_right": False,
        "leaks_used": 0, "auc_minus_truth": np.nan,
    }  # fmt: skip
    said = run(folder, "init", export.name, *export.flags)
    if said:
        print(f"{export.name}: {said}", flush=True)
        return outcome
    params = load_params(folder / "params.yaml")
    data, columns = params.data, export.columns
    outcome["id_right"] = data.lead_id == columns["id"]
    outcome["date_right"] = data.created_at == columns["date"]
    outcome |= read_right(export, params, learn, folder / export.name)
    outcome["leaks_used"] = len(LEAKS & {*params.features.fit, *params.features.engagement})
    steps = (["check"], ["train"], ["score", f"later_{export.name}", "-o", "scored.parquet"])
    for step in steps:
        if said := run(folder, *step):
            print(f"{export.name}: {step[0]}: {said}", flush=True)
            return outcome
    outcome["files"] = True
    scored = pd.read_parquet(folder / "scored.parquet").set_index("lead_id")["probability"]
    ids = export.frame(later.frame)[columns["id"]].astype(str)
    won = later.frame["converted"].to_numpy()
    truth = roc_auc_score(won, later.probability)
    outcome["auc_minus_truth"] = roc_auc_score(won, scored.reindex(ids).to_numpy()) - truth
    return outcome


def read_right(export: Export, params: Any, learn: Leads, file: Path) -> dict[str, bool]:
    """Return whether the label and the numbers are read as they are meant."""
    dialect = Dialect.from_params(params.data)
    table = next(read_chunks(file, dialect, column_names(file, dialect), rows=10 * LEARN)).table
    words = {label_word(word) for word in params.target.positive}
    won = np.array([label_word(value or "") in words for value in table[params.target.column].to_pylist()])
    meant = export.frame(learn.frame)
    is_open = (meant[export.columns["label"]] == "").to_numpy()
    true = learn.frame["converted"].to_numpy() & ~is_open
    kinds = {field.name: field.kind for field in Contract.from_params(params).fields}
    right = []
    for column, truth in export.columns["numbers"].items():
        values = numbers(table[column], dialect)[0] if kinds.get(column) == "number" else np.full(len(won), np.nan)
        expected = pd.to_numeric(learn.frame[truth]).to_numpy(dtype=float)
        known = ~meant[column].isin(["n/a", "#N/A", "-"]).to_numpy()
        right.append(np.array_equal(values[known], expected[known]) and bool(np.isnan(values[~known]).all()))
    return {"label_right": bool(np.array_equal(won, true)), "numbers_right": all(right)}


def refused_right(export: Export, learn: Leads, folder: Path) -> bool:
    """Return whether an export that must be refused is, for its reason."""
    folder.mkdir()
    export.write(export.frame(learn.frame), folder / export.name)
    said = run(folder, "init", export.name)
    if export.name == "dupcol.csv":
        return "source" in said
    return not said and "fewer than 1,000" in run(folder, "train")


def new_scored(learn: Leads, root: Path) -> int:
    """Return how many leads of an export without a label are scored by the model of another."""
    folder = root / "clean.csv"
    if not (folder / "models").exists():
        return 0
    plain(learn.frame).drop(columns="converted").tail(NEW).to_csv(folder / "new.csv", index=False)
    said = run(folder, "score", "new.csv", "-o", "new_scored.parquet")
    return 0 if said else len(pd.read_parquet(folder / "new_scored.parquet"))


def run(folder: Path, *arguments: str) -> str:
    """Run a command in a folder; return the last line of what it refuses, empty if it is done."""
    command = [sys.executable, "-m", "leadml", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode in {0, WARNED}:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return " / ".join(lines[-3:]) or f"exit code {done.returncode}"


if __name__ == "__main__":
    main()
