"""What tests of the model share: fits that are made once, and a small frame of made-up leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from leadml.leads.schema import Field
from leadml.model.estimator import fit_model
from leadml.model.explain import explain_leads

if TYPE_CHECKING:
    from leadml.leads.load import Loaded
    from leadml.leads.schema import Contract
    from leadml.model.estimator import Fitted
    from leadml.model.explain import Explanation
    from leadml.params import Params


@pytest.fixture(scope="session")
def quick_params(bank_params: Params) -> Params:
    """Return the project's choices with few rounds and one thread, for tests where neither matters."""
    model = bank_params.model.model_copy(update={"max_rounds": 60, "patience": 20, "threads": 1})
    return bank_params.model_copy(update={"model": model})


@pytest.fixture(scope="session")
def bank_fitted(bank_leads: Loaded, bank_contract: Contract, bank_params: Params) -> Fitted:
    """Return the model of all bundled leads, with one thread."""
    model = bank_params.model.model_copy(update={"threads": 1})
    return fit_model(bank_leads.frame, bank_contract.fields, bank_params.model_copy(update={"model": model}))


@pytest.fixture(scope="session")
def bank_matrix(bank_leads: Loaded, bank_fitted: Fitted) -> np.ndarray:
    """Return the bundled leads as the model reads them."""
    return bank_fitted.model.encoder.encode(bank_leads.frame)


@pytest.fixture(scope="session")
def bank_rows(bank_leads: Loaded, bank_fitted: Fitted) -> np.ndarray:
    """Return the fields of the bundled leads as numbers and codes."""
    return bank_fitted.model.encoder.fields_of(bank_leads.frame)


@pytest.fixture(scope="session")
def bank_explanation(bank_fitted: Fitted, bank_rows: np.ndarray) -> Explanation:
    """Return why each bundled lead has its number."""
    return explain_leads(bank_fitted.model, bank_rows)


@pytest.fixture(scope="session")
def toy_fields() -> tuple[Field, ...]:
    """Return the fields of the made-up leads: seven columns once encoded."""
    return (
        Field("age", "number", "fit"),
        Field("job", "category", "fit"),
        Field("visits", "number", "engagement"),
        Field("asked", "boolean", "engagement"),
    )


@pytest.fixture(scope="session")
def toy_leads() -> pd.DataFrame:
    """Return 800 made-up leads with missing values in each field; the chance rises with visits and with asking."""
    random = np.random.default_rng(7)
    size = 800
    visits, asked = random.poisson(3.0, size).astype(float), (random.random(size) < 0.3).astype(float)
    chance = 1 / (1 + np.exp(2.5 - 0.4 * visits - 1.5 * asked))
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{number:04d}" for number in range(size)],
            "age": random.normal(40, 10, size),
            "job": random.choice(np.array(["chef", "chef", "chef", "monk"], dtype=object), size),
            "visits": visits,
            "asked": asked,
            "converted": (random.random(size) < chance).astype(np.int8),
        }
    )
    for name in ("age", "job", "visits", "asked"):
        frame.loc[random.random(size) < 0.1, name] = None
    return frame


@pytest.fixture(scope="session")
def toy_fitted(toy_leads: pd.DataFrame, toy_fields: tuple[Field, ...], quick_params: Params) -> Fitted:
    """Return the model of the made-up leads."""
    return fit_model(toy_leads, toy_fields, quick_params)
