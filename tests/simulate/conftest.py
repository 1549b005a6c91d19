"""What tests of the simulator share: one simulated CRM, and a chunk of leads in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from leadml.simulate.paths import Life, live
from leadml.simulate.people import People, draw_people
from leadml.simulate.world import World
from leadml.simulate.write import Simulated, simulate

LEADS, MONTHS, SEED = 8_000, 24, 5


@dataclass(frozen=True)
class Crm:
    """The tables of a simulation; a test must not change them."""

    simulated: Simulated
    leads: pd.DataFrame
    activities: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame | None


def read(simulated: Simulated) -> Crm:
    """Read the tables of a simulation."""
    folder = simulated.folder
    tables = [pd.read_parquet(folder / name) for name in ("leads.parquet", "activities", "outcomes.parquet")]
    return Crm(simulated, *tables, pd.read_parquet(folder / "truth") if (folder / "truth").exists() else None)


@pytest.fixture(scope="session")
def read_crm():
    """Return what reads the tables of a simulation."""
    return read


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Crm:
    """Return two years of 8,000 leads, with the truth of all."""
    folder = tmp_path_factory.mktemp("crm") / "of two years"
    return read(simulate(folder, leads=LEADS, months=MONTHS, seed=SEED))


@pytest.fixture(scope="session")
def lived():
    """Return what draws leads and lives them."""

    def _lived(world: World, leads: int, seed: int) -> tuple[People, Life]:
        people = draw_people(world, leads, np.random.default_rng(seed))
        return people, live(world, people, np.random.default_rng(seed + 1))

    return _lived
