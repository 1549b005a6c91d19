"""Cases of advice about versions that are weak, and about what MLflow is told of a version; see `advice_cases`."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd
from advice_cases import case

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps

SHARES = {stage: {"rule": "share", "top": top} for stage, top in (("iql", 0.5), ("mql", 0.2), ("sql", 0.1))}
PROMOTE = ["leadml", "promote", "2", "--ungated", "--reason", "a trial"]
OTHER_SEED = "leadml train --set split.seed=1"


@case(": to use it all the same, leadml train --accept-weak", "nothing")
def use_a_weak_version(at: Attempt) -> Steps:
    """Ask for the status when the only version was trained on outcomes that no field tells."""
    at.do("leadml simulate stream leads.csv --days 60 --leads-a-day 50 --fields 2 --rate 0.2")
    leads = pd.read_csv(at.folder / "leads.csv", dtype=str).drop(columns="true_probability")
    leads["converted"] = leads["converted"].sample(frac=1, random_state=3).to_numpy()
    leads.to_csv(at.folder / "leads.csv", index=False)
    at.do("leadml init leads.csv")
    at.prepare("tracking.enabled", value=False)
    at.prepare("stages", SHARES)
    at.do("leadml train")
    yield "leadml status"
    at.follow("leadml train --accept-weak")
    at.do(["leadml", "train", "--accept-weak", "a first try"])
    yield "leadml status"


@case("MLflow is not installed")
def train_without_mlflow(at: Attempt) -> Steps:
    """Train without the library that params ask for."""
    at.prepare("tracking.enabled", value=True)
    with at.without("mlflow"):
        yield "leadml train"
        at.set("tracking.enabled", value=False)
        yield "leadml train"


@case("leadml train logs it once that is mended", "trained stream")
def log_a_version_later(at: Attempt) -> Steps:
    """Train while a file is in the place of the folder of MLflow's files."""
    at.prepare("tracking.enabled", value=True)
    (at.folder / "mlartifacts").write_text("", encoding="utf-8")
    yield "leadml train"
    at.follow("once that is mended")
    (at.folder / "mlartifacts").unlink()
    at.follow("leadml train")
    yield "leadml train"


@case("is not in MLflow; leadml train again logs it", "trained stream")
def log_a_version_again(at: Attempt) -> Steps:
    """Ask for the status after a version was put in use while tracking was off."""
    at.do("leadml train --set tracking.enabled=true")
    at.prepare("split.seed", 1)
    at.do("leadml train")
    at.do(PROMOTE)
    at.prepare("tracking.enabled", value=True)
    yield "leadml status"
    at.follow("leadml train")
    at.do("leadml train")
    yield "leadml status"


@case("MLflow's alias waits; leadml status moves it", "trained stream")
def move_the_alias_later(at: Attempt) -> Steps:
    """Put a version in use while another program writes to MLflow's database."""
    at.prepare("tracking.enabled", value=True)
    at.do("leadml train")
    at.do(OTHER_SEED)
    with closing(sqlite3.connect(at.folder / "mlflow.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield PROMOTE
    at.follow("leadml status")
    said = at.do("leadml status")
    if "it was moved" not in said:
        raise RuntimeError(said)
    at.do("leadml rollback")
    yield PROMOTE


@case("MLflow must be able to read and write", "trained stream")
def name_another_file(at: Attempt) -> Steps:
    """Train with a database of MLflow of another release."""
    at.prepare("tracking.enabled", value=True)
    at.do("leadml train --set tracking.store=new.db")
    shutil.copy(at.folder / "new.db", at.folder / "mlflow.db")
    with closing(sqlite3.connect(at.folder / "mlflow.db")) as connection, connection:
        connection.execute("update alembic_version set version_num = 'acf3f17fdcc7'")
    yield "leadml train"
    at.set("tracking.store", "other.db")
    yield "leadml train"
