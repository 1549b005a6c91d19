"""Fixtures of the simulator's tests: a simulated CRM on disk, and a chunk of leads in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from leadml.simulator.lead_attributes import LeadAttributes, sample_leads
from leadml.simulator.paths import LeadPaths, simulate_paths
from leadml.simulator.world import World
from leadml.simulator.write import SimulationResult, simulate

LEADS, MONTHS, SEED = 8_000, 24, 5


@dataclass(frozen=True)
class Crm:
    """The tables of a simulation; a test must not change them."""

    result: SimulationResult
    leads: pd.DataFrame
    activities: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame | None


def read(result: SimulationResult) -> Crm:
    """Read the tables of a simulation."""
    folder = result.folder
    tables = [pd.read_parquet(folder / name) for name in ("leads.parquet", "activities", "outcomes.parquet")]
    return Crm(result, *tables, pd.read_parquet(folder / "truth") if (folder / "truth").exists() else None)


@pytest.fixture(scope="session")
def read_crm():
    """Return the function that reads the tables of a simulation."""
    return read


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Crm:
    """Return two years of 8,000 leads, with the truth of all."""
    folder = tmp_path_factory.mktemp("crm") / "of two years"
    return read(simulate(folder, leads=LEADS, months=MONTHS, seed=SEED))


@pytest.fixture(scope="session")
def sample_chunk():
    """Return a function that samples leads and simulates their paths."""

    def _sample_chunk(world: World, leads: int, seed: int) -> tuple[LeadAttributes, LeadPaths]:
        attributes = sample_leads(world, leads, np.random.default_rng(seed))
        return attributes, simulate_paths(world, attributes, np.random.default_rng(seed + 1))

    return _sample_chunk
