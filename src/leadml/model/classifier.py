"""The model as a scikit-learn classifier, for pipelines, cross-validation and searches.

It reads no params.yaml, solves no cuts and writes no bundle; ``leadml train`` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from leadml.errors import ModelError, nearest, quoted
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.check.convert import times
from leadml.leads.check.duplicates import content_keys
from leadml.leads.check.field import Field
from leadml.leads.split import RandomSplit, TimeSplit
from leadml.model.fit.estimator import fit_model
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.plain_state import from_state, to_state
from leadml.model.typed_columns import as_fields, holds_objects, kind_of, refuse_shapes
from leadml.params import CalibrationParams, ModelParams, SplitParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray
    from sklearn.utils import Tags

    from leadml.leads.split import Split
    from leadml.types import Floats, Integers, Labels


ParamsSection = TypeVar("ParamsSection", bound=BaseModel)
CLASSES = 2  # converted or not
THRESHOLD = 0.5  # above it, the second of two classes is the more probable one
RESERVED = {LABEL, LEAD_ID, SPLIT_KEY, CREATED_AT, AS_OF, MATURE_AT}
SECTIONS: dict[str, type[BaseModel]] = {"model": ModelParams, "split": SplitParams, "calibration": CalibrationParams}
FITTED = ("classes_", "model_", "choices_", "n_features_in_", "feature_names_in_", "_labels")


@dataclass(frozen=True)
class FitSections:
    """The sections of the params that a fit reads."""

    model: ModelParams
    calibration: CalibrationParams


class LeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A calibrated model of additive log-odds, a linear part and trees, with intervals and exact explanations.

    Texts are categories. Texts, numbers and booleans may be missing.

    Parameters
    ----------
    model
        The candidates, as a mapping with keys of the section ``model`` in
        docs/params.md; None for the defaults. ``{"max_rounds": 100}`` makes a fit faster.
    split
        Number of folds and their seed: ``{"folds": 3, "seed": 1}``; None for the defaults.
    calibration
        Methods of calibration, and the level of the intervals, as a mapping with keys of the section ``calibration``;
        None for the defaults.

    Attributes
    ----------
    classes_
        The two classes in order; the model learns the probability of the second.
    model_
        The fitted `LeadModel`.
    choices_
        What was selected, and the log loss of every candidate, by name.
    n_features_in_, feature_names_in_
        As scikit-learn defines them.

    Examples
    --------
    >>> leads = pd.DataFrame({"visits": np.arange(600.0) % 20, "source": ["web", "fair"] * 300})
    >>> bought = np.where((leads["visits"] > 9) & (np.arange(600) % 7 > 0), "yes", "no")
    >>> LeadClassifier().fit(leads, bought).predict(leads[8:12]).tolist()
    ['no', 'no', 'yes', 'yes']
    """

    def __init__(
        self,
        *,
        model: ModelParams | Mapping[str, Any] | None = None,
        split: SplitParams | Mapping[str, Any] | None = None,
        calibration: CalibrationParams | Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.split = split
        self.calibration = calibration

    def fit(self, X: Any, y: Any, *, created_at: ArrayLike | None = None) -> Self:  # noqa: N803
        """Fit the model.

        Parameters
        ----------
        X
            Array of numbers of shape (n_leads, n_fields), or a frame of numbers, booleans and texts.
        y
            Two classes, shape (n_leads,).
        created_at
            Dates, numbers or texts in ISO 8601, of shape (n_leads,): every fold is then evaluated on newer leads than
            those it was fitted on.

        Raises
        ------
        ValueError
            Where there are not two classes, one class has too few leads, or a section has an unknown key or a value out
            of range.
        """
        if y is None:
            msg = "requires y to be passed, but the target y is None"
            raise ValueError(msg)
        frame, fields = self._training_frame(X)
        classes, codes = _two_classes(y)
        check_consistent_length(frame, codes)
        frame[SPLIT_KEY] = content_keys(frame)
        frame[LABEL] = codes
        folds = _section(SplitParams, self.split, "split")
        split: Split = RandomSplit(folds, copies=True)
        if created_at is not None:
            check_consistent_length(frame, created_at)
            frame[AS_OF] = _order_of(created_at)
            split = TimeSplit(folds, copies=True)
        sections = FitSections(
            model=_section(ModelParams, self.model, "model"),
            calibration=_section(CalibrationParams, self.calibration, "calibration"),
        )
        try:
            fitted = fit_model(frame, fields, sections, split=split)
        except ModelError as error:
            raise ValueError(str(error)) from error
        self.classes_, self.model_, self.choices_ = classes, fitted.model, fitted.choices
        return self

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Return the probability of both classes, shape (n_leads, 2).

        Examples
        --------
        >>> leads, bought = pd.DataFrame({"visits": np.arange(600.0) % 20}), np.arange(600) % 20 > 9
        >>> fitted = LeadClassifier().fit(leads, bought)
        >>> fitted.predict_proba(leads[8:12]).round().tolist()
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
        """
        probability = self._probability(X)
        return np.column_stack([1.0 - probability, probability])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the more probable class of each lead, shape (n_leads,)."""
        is_second = self._probability(X) > THRESHOLD
        return np.asarray(self.classes_[is_second.astype(np.intp)])

    def predict_interval(self, X: Any) -> Floats:  # noqa: N803
        """Return the ends of the interval of the second class's probability, shape (n_leads, 2).

        Examples
        --------
        >>> leads, bought = pd.DataFrame({"visits": np.arange(600.0) % 20}), np.arange(600) % 20 > 9
        >>> low, high = LeadClassifier().fit(leads, bought).predict_interval(leads[8:9])[0]
        >>> bool(0 < low < high < 0.5)
        True
        """
        fields = self.model_.encoder.fields_of(self._frame(X))
        return np.column_stack(self.model_.interval(self.model_.probability(fields), fields))

    def points(self, X: Any) -> tuple[float, Floats]:  # noqa: N803
        """Return the starting point, and the points that each field adds to it, shape (n_leads, n_fields).

        Points are percentage points: the starting point and the points of a lead add up to 100 times the probability of
        the second class.

        Examples
        --------
        >>> leads, bought = pd.DataFrame({"visits": np.arange(600.0) % 20}), np.arange(600) % 20 > 9
        >>> fitted = LeadClassifier().fit(leads, bought)
        >>> start, points = fitted.points(leads[8:12])
        >>> bool(np.allclose(start + points.sum(axis=1), 100 * fitted.predict_proba(leads[8:12])[:, 1]))
        True
        """
        frame = self._frame(X)
        explained = explain_leads(self.model_, self.model_.encoder.fields_of(frame))
        return explained.start_points, explained.points

    def _probability(self, leads: Any) -> Floats:
        frame = self._frame(leads)  # first, because it refuses a classifier that is not fitted
        return self.model_.predict(frame)

    def _frame(self, leads: Any) -> pd.DataFrame:
        """Return leads to score as a checked frame."""
        check_is_fitted(self)
        return as_fields(self._named_columns(leads, reset=False), self.model_.encoder.fields)

    def _training_frame(self, leads: Any) -> tuple[pd.DataFrame, list[Field]]:
        """Return the training set as a checked frame, and its fields."""
        table = self._named_columns(leads, reset=True)
        if reserved := sorted(RESERVED & set(table.columns)):
            msg = f"no column may be called {' or '.join(reserved)}, which leadml uses itself; name it otherwise"
            raise ValueError(msg)
        fields = [Field(name, kind_of(table[name]), "fit") for name in table.columns]
        return as_fields(table, fields), fields

    def _named_columns(self, leads: Any, *, reset: bool) -> pd.DataFrame:
        """Return leads with a name for each column; unless reset, the names must be those of the training set."""
        if hasattr(leads, "to_pandas"):
            leads = leads.to_pandas()
        labels = None
        if isinstance(leads, pd.DataFrame):
            refuse_shapes(leads)
            validate_data(self, leads, skip_check_array=True, reset=reset)
            values, labels = leads, [str(label) for label in leads.columns]
        else:
            dtype = object if holds_objects(leads) else np.float64
            values = validate_data(self, leads, dtype=dtype, ensure_all_finite="allow-nan", reset=reset)
        if reset:
            self._labels = labels
        elif None not in (labels, self._labels) and labels != self._labels:
            msg = f"columns must be {self._labels}, as in the training set, got {labels}; select them in this order"
            raise ValueError(msg)
        names = getattr(self, "feature_names_in_", [f"x{column}" for column in range(values.shape[1])])
        return pd.DataFrame(values).set_axis(list(names), axis=1).reset_index(drop=True)

    def __getstate__(self) -> dict[str, Any]:
        """Return plain data: no serializer needs to know another class of leadml than this one."""
        state = dict(super().__getstate__())
        sections = [name for name, section in SECTIONS.items() if isinstance(state[name], section)]
        state |= {name: state[name].model_dump() for name in sections} | {"sections": sections}
        fitted = {name: state.pop(name) for name in FITTED if name in state}
        if "model_" in fitted:
            classes, names = fitted.pop("classes_"), fitted.pop("feature_names_in_", None)
            plain = classes.view(np.int64) if classes.dtype.kind in {"m", "M"} else classes
            fitted |= {"classes": plain.tolist(), "dtype": classes.dtype.str}
            fitted |= {"names": None if names is None else names.tolist()}
            state["fitted"] = to_state(fitted.pop("model_"), fitted)
        if "_metadata_request" in state:  # an object of scikit-learn's, whose circle of references skops cannot follow
            methods = vars(state.pop("_metadata_request"))
            state["requests"] = {
                name: dict(each.requests) for name, each in methods.items() if hasattr(each, "requests")
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read what `__getstate__` returned; a fitted model is verified first.

        Raises
        ------
        ValueError
            Where a byte of the model was changed.
        """
        state = dict(state)
        for name in state.pop("sections", ()):
            state[name] = SECTIONS[name].model_validate(state[name])
        if "fitted" in state:
            model, fitted = from_state(state.pop("fitted"))
            names = fitted.pop("names")
            state |= {"model_": model, "classes_": np.array(fitted.pop("classes"), dtype=fitted.pop("dtype"))}
            state |= fitted | ({} if names is None else {"feature_names_in_": np.array(names, dtype=object)})
        requests = state.pop("requests", None)
        super().__setstate__(state)
        if requests is not None:
            self._metadata_request = self.get_metadata_routing()
            for method, aliases in requests.items():
                for param, alias in aliases.items():
                    getattr(self._metadata_request, method).add_request(param=param, alias=alias)

    def __sklearn_tags__(self) -> Tags:
        """Declare that values may be missing and that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


def _section(section: type[ParamsSection], value: Any, name: str) -> ParamsSection:
    """Return a section from a section or a mapping of its keys."""
    try:
        return section.model_validate(value or {})
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False):
            key = ".".join([name, *(str(part) for part in fault["loc"])])
            is_unknown = fault["type"] == "extra_forbidden"
            hint = nearest(str(fault["loc"][-1]), section.model_fields) if is_unknown else ""
            faults.append(f"{key}: there is no such key{hint}" if is_unknown else f"{key}: {fault['msg']}")
        raise ValueError("; ".join(faults)) from None


def _two_classes(y: Any) -> tuple[NDArray[Any], Labels]:
    """Return the two classes in order, and the code of each lead's class."""
    objects = np.asarray(y, dtype=object)
    if pd.isna(objects).any():
        msg = "y must be known for every lead, got missing values (NaN); leave out leads whose outcome is not known"
        raise ValueError(msg)
    if len({isinstance(value, str) for value in objects.ravel()}) > 1:
        msg = "y must hold texts or numbers, got both; write both classes as texts or both as numbers"
        raise ValueError(msg)
    if not len(objects):
        msg = "y must have a class for every lead, got none"
        raise ValueError(msg)
    label = column_or_1d(objects if pd.api.types.is_extension_array_dtype(y) else y, warn=True)
    if label.dtype == object and not isinstance(label[0], str):
        label = np.array(label.tolist())
    assert_all_finite(label, input_name="y")
    check_classification_targets(label)
    classes, codes = np.unique(label, return_inverse=True)
    if len(classes) > CLASSES:
        msg = f"Only binary classification is supported. The type of the target is {type_of_target(label)}."
        raise ValueError(msg)
    if len(classes) < CLASSES:
        msg = f"y must hold leads of two classes, got 1 class, {str(classes[0])!r}; add leads of the other"
        raise ValueError(msg)
    return classes, codes.astype(np.int8)


def _order_of(created_at: Any) -> Integers:
    """Return the ranks of instants, which are numbers, dates or texts in ISO 8601."""
    instants = pd.Series(np.asarray(created_at))
    if instants.isna().any():
        msg = f"created_at must be known for every lead, got {int(instants.isna().sum()):,} missing values"
        raise ValueError(msg)
    if not pd.api.types.is_numeric_dtype(instants) and instants.dtype.kind != "M":
        texts = instants.map(str)
        micros, bad = times(pa.chunked_array([pa.array(texts, pa.string())]), timezone="UTC")
        if bad.any():
            example = str(texts[bad].iloc[0])
            msg = f"created_at must hold dates, numbers or texts in ISO 8601 such as 2026-01-31, got {quoted(example)}"
            raise ValueError(msg)
        instants = pd.Series(micros)
    return np.asarray(pd.factorize(instants, sort=True)[0], dtype=np.int64)
