"""Models that many people fit, at their defaults: logistic regression and boosted trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from leadml.leads.check.contract import LABEL
from leadml.leads.split import column_of
from leadml.model.fit.selection import recency_weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.types import Floats

LOGISTIC = "logistic regression"
HALF_LIFE = 0.0625  # share of the training leads, the newest, after which one counts half


def predictions(learn: pd.DataFrame, holdout: pd.DataFrame, fields: Sequence[Field], split: Split) -> dict[str, Floats]:
    """Return the probabilities of a holdout by each model, and of dated leads by one in which newer ones weigh more."""
    names, clock = [field.name for field in fields], column_of(learn, split.clock)
    models = plain_models(fields)
    if clock is not None:
        weighted, _ = plain_models(fields)[LOGISTIC]
        choices = {"logisticregression__sample_weight": recency_weight(clock, HALF_LIFE)}
        models[f"{LOGISTIC} with a half-life"] = weighted, choices
    found = {}
    for name, (model, choices) in models.items():
        model.fit(learn[names], learn[LABEL], **choices)
        found[name] = model.predict_proba(holdout[names])[:, 1]
    return found


def plain_models(fields: Sequence[Field]) -> dict[str, tuple[Pipeline, dict[str, Any]]]:
    """Return each model with what its ``fit`` is given beside leads and labels."""
    names = [field.name for field in fields]
    categories = [field.name for field in fields if field.kind == "category"]
    numbers = [name for name in names if name not in categories]
    filled = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    scaled = make_column_transformer(
        (filled, numbers), (OneHotEncoder(handle_unknown="ignore"), categories), sparse_threshold=0
    )
    coded = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), categories), remainder="passthrough"
    )
    positions = list(range(len(categories)))
    histogram = HistGradientBoostingClassifier(categorical_features=positions, random_state=0)
    boosting = LGBMClassifier(verbosity=-1, random_state=0, num_threads=2)
    return {
        LOGISTIC: (make_pipeline(scaled, LogisticRegression(max_iter=2000)), {}),
        "HistGradientBoosting": (make_pipeline(coded, histogram), {}),
        "LightGBM": (make_pipeline(coded, boosting), {"lgbmclassifier__categorical_feature": positions}),
    }
