"""Fixtures: the bundled leads, simulated leads, and projects and models that are trained once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from leadml.jobs.places import Places
from leadml.jobs.train import Trained, train
from leadml.leads.check.contract import Contract, Field
from leadml.leads.check.load import LoadedLeads, load_leads
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.model.fit.estimator import FitResult, fit_model
from leadml.model.predict.explain import Explanation, explain_leads
from leadml.params import Params, load_params
from leadml.simulator.write import simulate
from tests.dated import NOW, crm, write_params, write_tables
from tests.frames import rows, split_of
from tests.reviews import at, flat_project, let_outcomes_in, score_days, stream

settings.register_profile("leadml", deadline=None, derandomize=True, max_examples=50)  # the same examples in every run
settings.load_profile("leadml")

ROOT = Path(__file__).parents[1]
# A test that takes one of these, directly or through others, simulates a CRM, starts a server or fits a model of the
# bundled leads, which takes seconds.
SLOW_FIXTURES = {
    "bank_fitted",
    "crm",
    "flat_version",
    "make_dated_project",
    "make_project",
    "postgres_server",
    "simulated_crm",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test as slow that takes a slow fixture."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def bank_file() -> Path:
    """Return the bundled file: 4,521 prospects of a bank, 521 of whom subscribed."""
    return ROOT / "data" / "raw" / "bank.csv"


@pytest.fixture(scope="session")
def bank_params() -> Params:
    """Return the choices of the repository's params.yaml, with MLflow off."""
    return load_params(ROOT / "params.yaml", ["tracking.enabled=false"])


@pytest.fixture(scope="session")
def bank_contract(bank_params: Params) -> Contract:
    """Return the columns of the bundled leads."""
    return Contract.from_params(bank_params)


@pytest.fixture(scope="session")
def bank_leads(bank_file: Path, bank_contract: Contract) -> LoadedLeads:
    """Return the checked bundled leads as snapshots; a test must not change them."""
    loaded = load_leads(FileSource(bank_file, Dialect()), bank_contract)
    return replace(loaded, frame=rows(loaded.frame))


@pytest.fixture(scope="session")
def make_project(bank_file: Path) -> Callable[..., Places]:
    """Return a function that makes a project in a new folder, with copies of the bundled leads and of params.yaml."""

    def make(folder: Path, *overrides: str) -> Places:
        (folder / "data" / "raw").mkdir(parents=True)
        shutil.copy(bank_file, folder / "data" / "raw")
        shutil.copy(ROOT / "params.yaml", folder)
        return Places.open(folder / "params.yaml", ["tracking.enabled=false", *overrides])

    return make


@pytest.fixture(scope="session")
def trained_project(
    make_project: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Places, Trained]:
    """Return a project whose first version is in use; a test may score with it but must not train it again."""
    project = make_project(tmp_path_factory.mktemp("trained"))
    return project, train(project, now="2026-01-01T00:00:00+00:00", progress=lambda _: None)


@pytest.fixture(scope="session")
def simulated_crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a simulated CRM: 2,000 leads of eight months; a test must not change it."""
    return simulate(tmp_path_factory.mktemp("simulated") / "crm", leads=2000, months=8, seed=11).folder


@pytest.fixture(scope="session")
def make_dated_project(simulated_crm: Path) -> Callable[..., Places]:
    """Return a function that makes a project of dated leads in a new folder; personal data contain "canary"."""
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

    def make(folder: Path, *overrides: str, target: str = "mql") -> Places:
        write_tables(folder, **tables)
        choices = crm()
        choices["sources"]["activities"]["path"] = "activities.parquet"
        return Places.open(write_params(folder, choices), overrides, target=target)

    return make


@pytest.fixture(scope="session")
def trained_dated(
    make_dated_project: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Places, Trained]:
    """Return a project of dated leads with a version in use; a test must not train it again."""
    project = make_dated_project(tmp_path_factory.mktemp("dated"))
    return project, train(project, now=NOW, progress=lambda _: None, accept_weak="few leads of a test")


@pytest.fixture(scope="session")
def flat_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project of flat leads of a plain stream with a version; a test must not change it."""
    project = flat_project(tmp_path_factory.mktemp("flat") / "project")
    train(project, now=at(0), progress=lambda _: None)
    return project.root


@pytest.fixture(scope="session")
def make_scored(flat_version: Path) -> Callable[..., Places]:
    """Return a function that makes a copy of that project in whose store are the scores of some days of the stream."""

    def make(folder: Path, *overrides: str, days: int = 40, outcomes: bool = True, **drift: str | int) -> Places:
        root = shutil.copytree(flat_version, folder / "project", symlinks=True)
        leads = stream(**drift).days(days, seed=5)
        score_days(Places.open(root / "params.yaml"), leads)
        if outcomes:
            let_outcomes_in(Places.open(root / "params.yaml"), leads)
        return Places.open(root / "params.yaml", overrides)

    return make


@pytest.fixture(scope="session")
def scored_stream(make_scored: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return such a project of 40 days without a drift; a test may review it as of a day but must not score with it."""
    return make_scored(tmp_path_factory.mktemp("stream"))


@pytest.fixture(scope="session")
def quick_params(bank_params: Params) -> Params:
    """Return choices with few rounds and one thread, for fast tests."""
    model = bank_params.model.model_copy(update={"max_rounds": 60, "threads": 1})
    return bank_params.model_copy(update={"model": model})


@pytest.fixture(scope="session")
def bank_fitted(bank_leads: LoadedLeads, bank_contract: Contract, bank_params: Params) -> FitResult:
    """Return the model of all bundled leads, with one thread."""
    model = bank_params.model.model_copy(update={"threads": 1})
    params = bank_params.model_copy(update={"model": model})
    frame = bank_leads.frame
    return fit_model(frame, bank_contract.fields, params, split=split_of(frame, params.split))


@pytest.fixture(scope="session")
def bank_matrix(bank_leads: LoadedLeads, bank_fitted: FitResult) -> np.ndarray:
    """Return the bundled leads as the model reads them."""
    return bank_fitted.model.encoder.encode(bank_leads.frame)


@pytest.fixture(scope="session")
def bank_rows(bank_leads: LoadedLeads, bank_fitted: FitResult) -> np.ndarray:
    """Return the fields of the bundled leads as numbers and codes."""
    return bank_fitted.model.encoder.fields_of(bank_leads.frame)


@pytest.fixture(scope="session")
def bank_explanation(bank_fitted: FitResult, bank_rows: np.ndarray) -> Explanation:
    """Return why each bundled lead has its number."""
    return explain_leads(bank_fitted.model, bank_rows)


@pytest.fixture(scope="session")
def toy_fields() -> tuple[Field, ...]:
    """Return the fields of the synthetic leads; encoded they are seven columns."""
    return (
        Field("age", "number", "fit"),
        Field("job", "category", "fit"),
        Field("visits", "number", "engagement"),
        Field("asked", "boolean", "engagement"),
    )


@pytest.fixture(scope="session")
def toy_leads() -> pd.DataFrame:
    """Return 800 synthetic leads with missing values; the probability to convert rises with `visits` and `asked`."""
    random = np.random.default_rng(7)
    size = 800
    visits, asked = random.poisson(3.0, size).astype(float), (random.random(size) < 0.3).astype(float)
    probability = 1 / (1 + np.exp(2.5 - 0.4 * visits - 1.5 * asked))
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{number:04d}" for number in range(size)],
            "age": random.normal(40, 10, size),
            "job": random.choice(np.array(["chef", "chef", "chef", "monk"], dtype=object), size),
            "visits": visits,
            "asked": asked,
            "converted": (random.random(size) < probability).astype(np.int8),
        }
    )
    for name in ("age", "job", "visits", "asked"):
        frame.loc[random.random(size) < 0.1, name] = None
    return rows(frame)


@pytest.fixture(scope="session")
def toy_fitted(toy_leads: pd.DataFrame, toy_fields: tuple[Field, ...], quick_params: Params) -> FitResult:
    """Return the model of the synthetic leads."""
    return fit_model(toy_leads, toy_fields, quick_params, split=split_of(toy_leads, quick_params.split))
