"""What tests share: the bundled leads, read once, and a project on them, trained once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from leadml.jobs.project import Project
from leadml.jobs.train import Trained, train
from leadml.leads.ingest import Dialect
from leadml.leads.load import Loaded, load_leads
from leadml.leads.schema import Contract
from leadml.leads.simulate.write import simulate
from leadml.params import Params, load_params
from tests.dated import NOW, crm, write_params, write_tables

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def bank_file() -> Path:
    """Return the bundled file: 4,521 prospects of a bank, 521 of whom subscribed."""
    return ROOT / "data" / "raw" / "bank.csv"


@pytest.fixture(scope="session")
def bank_params() -> Params:
    """Return the choices of the project itself, with MLflow off."""
    return load_params(ROOT / "params.yaml", ["tracking.enabled=false"])


@pytest.fixture(scope="session")
def bank_contract(bank_params: Params) -> Contract:
    """Return the columns of the bundled leads."""
    return Contract.from_params(bank_params)


@pytest.fixture(scope="session")
def bank_leads(bank_file: Path, bank_contract: Contract) -> Loaded:
    """Return the bundled leads, checked; a test must not change them."""
    return load_leads(bank_file, bank_contract, Dialect())


@pytest.fixture(scope="session")
def make_project(bank_file: Path) -> Callable[..., Project]:
    """Return what makes a project in a folder of its own, on a copy of the bundled leads, with the project's params."""

    def make(folder: Path, *overrides: str) -> Project:
        (folder / "data" / "raw").mkdir(parents=True)
        shutil.copy(bank_file, folder / "data" / "raw")
        shutil.copy(ROOT / "params.yaml", folder)
        return Project.open(folder / "params.yaml", ["tracking.enabled=false", *overrides])

    return make


@pytest.fixture(scope="session")
def trained_project(
    make_project: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Trained]:
    """Return a project whose first version is in use; a test may score with it but must not train in it."""
    project = make_project(tmp_path_factory.mktemp("trained"))
    return project, train(project, now="2026-01-01T00:00:00+00:00", progress=lambda _: None)


@pytest.fixture(scope="session")
def simulated_crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a simulated CRM: 2,000 leads of eight months; a test must not change it."""
    return simulate(tmp_path_factory.mktemp("simulated") / "crm", leads=2000, months=8, seed=11).folder


@pytest.fixture(scope="session")
def make_dated_project(simulated_crm: Path) -> Callable[..., Project]:
    """Return what makes a project of dated leads in a folder of its own; what is personal in them says "canary"."""
    tables = {
        name: pd.read_parquet(simulated_crm / path)
        for name, path in (("leads", "leads.parquet"), ("activities", "activities"), ("outcomes", "outcomes.parquet"))
    }
    leads = tables["leads"]
    local, domain = leads["email"].str.split("@").str[0], leads["email"].str.split("@").str[1]
    free = domain.str.contains("gmail|yahoo|hotmail|outlook")
    leads["email"] = "canary." + local + "@" + domain.where(free, "canary-" + domain)
    leads["job_title"] = leads["job_title"] + " of Canaries"
    leads["account_id"] = "Canary " + leads["account_id"]

    def make(folder: Path, *overrides: str, target: str = "mql") -> Project:
        write_tables(folder, **tables)
        choices = crm()
        choices["sources"]["activities"]["path"] = "activities.parquet"
        return Project.open(write_params(folder, choices), overrides, target=target)

    return make


@pytest.fixture(scope="session")
def trained_dated(
    make_dated_project: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Trained]:
    """Return a project of dated leads with a version in use; a test may score with it but must not train in it."""
    project = make_dated_project(tmp_path_factory.mktemp("dated"))
    return project, train(project, now=NOW, progress=lambda _: None)
