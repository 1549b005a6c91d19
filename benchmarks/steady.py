"""Whether a model stays the same when a few leads are left out of its training, beside other models on the same leads.

Each set has a training set and a holdout. 20 disturbed trainings leave out the last or the first .2 to 5% of the
training leads in the order of time (in that of the file where leads have no dates), or a random 3%; the holdout stays.
On `bank_months` a model is trained on all months before each of the last 18 and judged on it, with 5 disturbances.

Of each set and model, over the disturbances of up to 3.5%:

- `mean`, `worst`, `sd`: log loss on the holdout, of `bank_months` on the leads of all months;
- `lowest_auc`: the lowest ROC AUC;
- `stage_changes`: share of the holdout in another stage than by the undisturbed training, on average; of leadml only,
  with cuts at half, a fifth and a twentieth of the out-of-fold probabilities;
- `far_worst`: the worst log loss where 5% are left out.

With --other, leadml of another checkout is fitted on the same leads, too. With --fits, fits are kept in a folder, and
read again from there: all of them take some hours. With --only and --keep a set is added to the kept ones.
Run with: python benchmarks/steady.py [--json] [--keep] [--recorded] [--data DIR] [--other DIR] [--fits DIR]
    [--only SET]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bank_months import month_names
from checkouts import FIT, fitted_by, kept_in
from compare_data import READ, divided_data
from measure import ROOT, data_folder, finish, options
from plain_models import predictions
from truth import prepare, simulated

from leadml.leads.check.contract import LABEL, Contract
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.settings import AsOfSettings
from leadml.leads.split import column_of
from leadml.model import metrics
from leadml.params import Params, SplitParams, load_params

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split

ENDS = (0.2, 0.4, 0.8, 1.4, 2.0, 2.8, 3.5, 5.0)  # percent of the training leads
FAR, RANDOM, SHUFFLES = 5.0, 3.0, 4
FEW = ("last 0.8", "last 2.8", "first 1.4", "random 0", "random 1")  # of bank_months, each in 18 trainings
MONTHS = 18
CRM_LEADS, CRM_MONTHS, CRM_SEEDS = 10_000, 24, (1, 2)
CDNOW, TABLES = ROOT / "examples" / "cdnow", ("examples/cdnow/make_tables.py", "data/raw/CDNOW_master.txt.gz")
SETS = ("bank_forward", "bank_months", "shoppers", "bank_small", "cdnow", "crm_1", "crm_2")


@dataclass(frozen=True)
class Task:
    """A training set and a holdout."""

    learn: pd.DataFrame
    holdout: pd.DataFrame
    fields: tuple[Field, ...]
    split: Split
    names: tuple[str, ...]


def tasks(folder: Path, only: str) -> Iterator[tuple[str, list[Task]]]:
    """Yield each set with its tasks."""
    every = tuple(disturbances())
    for data in divided_data(folder):
        if data.name in SETS and only in {"", data.name}:
            split = data.split(SplitParams())
            yield data.name, [Task(data.learn, data.holdout, data.fields, split, every)]
        if data.name == "bank_forward" and only in {"", "bank_months"}:
            yield "bank_months", list(month_tasks(data))
    if only in {"", "cdnow"}:
        yield "cdnow", [cdnow()]
    for number, seed in enumerate(CRM_SEEDS, start=1):
        if only in {"", f"crm_{number}"}:
            with TemporaryDirectory() as name:
                truth = simulated(Path(name), leads=CRM_LEADS, months=CRM_MONTHS, seed=seed)
                found = prepare(Path(name), "sql", truth)
            fields, split = found.training.contract.fields, found.training.split
            yield f"crm_{number}", [Task(found.learn, found.holdout, fields, split, every)]


def main() -> None:
    """Fit all models on all disturbed trainings, print a table."""
    chosen = options(
        __doc__ or "",
        "steady",
        (ROOT / "params.yaml", *READ, FIT),
        in_parts=True,
        data=data_folder(),
        other=Path(),
        fits=Path(),
        only="",
    )
    figures: dict[str, Any] = chosen.kept
    for name, of_set in tasks(chosen.data, chosen.only):
        rows = {"leadml": said_by(ROOT, of_set, chosen.fits)}
        if chosen.other != Path():
            rows["leadml before"] = said_by(chosen.other.resolve(), of_set, chosen.fits)
        rows |= said_by_others(of_set, chosen.fits)
        found = {model: summary(of_set, said) for model, said in rows.items()}
        size = f"{len(of_set[0].learn):,} leads" if len(of_set) == 1 else f"{len(of_set)} trainings"
        print(f"\n{name}: {size}, {sum(len(task.holdout) for task in of_set):,} in the holdout")
        print(pd.DataFrame(found).T.round(4).to_string(), flush=True)
        figures[name] = {**found.pop("leadml"), "others": found}
    finish("steady", figures, chosen)


def disturbances() -> Iterator[str]:
    """Yield the names of the disturbed trainings."""
    for side in ("last", "first"):
        yield from (f"{side} {percent:g}" for percent in ENDS)
    yield from (f"random {number}" for number in range(SHUFFLES))


def disturbed(task: Task, name: str) -> pd.DataFrame:
    """Return the training set without the leads that a disturbance leaves out, in their order."""
    kind, number = name.split()
    size, clock = len(task.learn), column_of(task.learn, task.split.clock)
    order = np.arange(size) if clock is None else np.argsort(clock, kind="stable")
    if kind == "random":
        left_out = np.random.default_rng(int(number)).permutation(size)[: round(size * RANDOM / 100)]
    else:
        count = round(size * float(number) / 100)
        left_out = order[-count:] if kind == "last" else order[:count]
    return task.learn.drop(index=left_out).reset_index(drop=True)


def month_tasks(data: Any) -> Iterator[Task]:
    """Yield the last 18 months of the bank's campaigns, each with all leads before it."""
    leads = pd.concat([data.learn, data.holdout], ignore_index=True)
    months = month_names(leads["month"])
    for month in np.unique(months)[-MONTHS:]:
        first = int(np.argmax(months == month))
        holdout = leads[months == month].reset_index(drop=True)
        yield Task(leads[:first].reset_index(drop=True), holdout, data.fields, data.split(SplitParams()), FEW)


def cdnow() -> Task:
    """Return the customers of the online shop, whose tables are made in a folder of their own."""
    with TemporaryDirectory() as name:
        root = Path(name)
        for path in TABLES:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, root / path)
        subprocess.run([sys.executable, root / TABLES[0]], check=True, capture_output=True)
        declared = load_params(CDNOW / "params.yaml")
        sections = ("data", "sources", "targets", "features", "stages")
        params = Params(**{section: getattr(declared, section) for section in sections})
        settings = AsOfSettings.from_params(params, "purchase")
        contract = Contract.from_params(params)
        source = DatedLeads(
            root / TABLES[0].rpartition("/")[0], params, contract, settings, "1999-01-01T00:00:00+00:00"
        )
        training = source.training(progress=lambda _: None)
        parts = training.parts()
    return Task(parts.learn, parts.holdout, training.contract.fields, training.split, tuple(disturbances()))


def trainings(task: Task) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the undisturbed training set, named by an empty text, and each disturbed one."""
    yield "", task.learn
    yield from ((name, disturbed(task, name)) for name in task.names)


def said_by(checkout: Path, of_set: list[Task], fits: Path) -> dict[str, tuple[Any, ...]]:
    """Return the probabilities and stages of the holdouts by a checkout's leadml, by disturbance."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for task in of_set:
        for name, learn in trainings(task):
            said = fitted_by(checkout, learn, task.holdout, task.fields, task.split, fits=fits)
            found.setdefault(name, []).append(said[:2])
    return {name: tuple(np.concatenate(some) for some in zip(*parts, strict=True)) for name, parts in found.items()}


def said_by_others(of_set: list[Task], fits: Path) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Return the same by other models, which have no stages."""
    found: dict[str, dict[str, list[Any]]] = {}
    fit = kept_in(fits, predictions)
    for task in of_set:
        for name, learn in trainings(task):
            for model, probability in fit(learn, task.holdout, task.fields, task.split).items():
                found.setdefault(model, {}).setdefault(name, []).append(probability)
    return {
        model: {name: (np.concatenate(parts), None) for name, parts in by_name.items()}
        for model, by_name in found.items()
    }


def summary(of_set: list[Task], said: dict[str, tuple[Any, ...]]) -> dict[str, float]:
    """Return the figures of a model on a set."""
    label = np.concatenate([task.holdout[LABEL].to_numpy(dtype=np.int8) for task in of_set])
    weight = np.ones(len(label))
    losses = {name: metrics.log_loss(label, probability, weight) for name, (probability, *_) in said.items()}
    far = [loss for name, loss in losses.items() if name.endswith(f" {FAR:g}")]
    near = {name: loss for name, loss in losses.items() if name and not name.endswith(f" {FAR:g}")}
    values = np.array(list(near.values()))
    figures = {"undisturbed": losses[""], "mean": values.mean(), "worst": values.max(), "sd": values.std(ddof=1)}
    figures["lowest_auc"] = min(metrics.roc_auc(label, said[name][0], weight) for name in near)
    if said[""][1] is not None:
        figures["stage_changes"] = float(np.mean([(said[name][1] != said[""][1]).mean() for name in near]))
    if far:
        figures["far_worst"] = max(far)
    return {name: float(value) for name, value in figures.items()}


if __name__ == "__main__":
    main()
