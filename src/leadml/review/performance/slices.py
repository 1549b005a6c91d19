"""Say for each level of some attributes, such as each country, how its leads convert beside what was said of them.

The levels of a number are the ranges by which the training was counted. A level with few leads gets no figure: among
many such levels some always look bad. Nothing is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from leadml.model.metrics import rate_interval
from leadml.review.performance.ranking import roc_auc_interval
from leadml.stages.candidates import candidate_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.bundle.profile import Profile
    from leadml.model.predict.reference import FieldBins
    from leadml.review.performance.realised import JudgedLeads
    from leadml.types import Floats, Objects, Rows

DIFFERS, NOT_SHOWN, TOO_FEW = "differs surely", "no difference shown", "too few leads"
MISSING = "missing"
ENDS = ("", "_low", "_high")
COLUMNS = (
    "attribute",
    "level",
    "leads",
    "share",
    "training_share",
    "conversions",
    *(f"rate{end}" for end in ENDS),
    "training_rate",
    "mean_probability",
    *(f"calibration_error{end}" for end in ENDS),
    *(f"roc_auc{end}" for end in ENDS),
    "p_value",
    "verdict",
)


def slice_table(
    leads: JudgedLeads, attributes: pd.DataFrame, profile: Profile, *, min_slice: int, confidence: float
) -> pd.DataFrame:
    """Return the key figures of each level of each attribute, and which levels surely convert otherwise than was said.

    Parameters
    ----------
    leads
        Leads with outcomes, of one period or of several together.
    attributes
        The attributes of the same leads, in the same order. Leads without a value have the level ``missing``.
    profile
        That of the training: the ranges of numbers, and how many leads each level had.
    min_slice
        Levels with fewer leads have no figures.
    confidence
        Of the intervals, and that no level is called different by chance, in (0, 1).

    Returns
    -------
    frame
        One row per level, attributes in their order, ranges rising and other levels largest first: ``attribute, level,
        leads, share, conversions``; ``rate``; ``mean_probability``; ``calibration_error``, the rate less the mean
        probability, above 0 if more leads convert than was said; ``roc_auc``; the first, third and fourth of these
        four with ``_low`` and ``_high``; ``p_value`` that the calibration error is 0; ``verdict``: ``differs surely``,
        ``no difference shown``, ``too few leads``. ``training_share`` and ``training_rate`` are those of the training,
        NaN of levels and attributes that it did not count.

    Notes
    -----
    The test is of the level of the probabilities: the calibration error over its standard error, which is the larger
    of that of outcomes with these probabilities and that of the outcomes found, summed over accounts. Over all levels
    that are judged the p-values are those of Holm, "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6 (1979): with the given confidence no level is called different that is not.

    Examples
    --------
    >>> from leadml.bundle.profile import NO_PROFILE
    >>> from leadml.review.performance.realised import JudgedLeads
    >>> label = np.concatenate([np.arange(400) % 2, np.arange(400) % 4 == 0, np.ones(5)]).astype(np.int8)
    >>> leads = JudgedLeads(np.repeat("2026-01", 805), np.full(805, 0.5), label)
    >>> attributes = pd.DataFrame({"country": np.repeat(["FI", "SE", "NO"], [400, 400, 5])})
    >>> table = slice_table(leads, attributes, NO_PROFILE, min_slice=200, confidence=0.9)
    >>> table[["level", "leads", "calibration_error", "verdict"]]
      level  leads  calibration_error              verdict
    0    FI    400               0.00  no difference shown
    1    SE    400              -0.25       differs surely
    2    NO      5                NaN        too few leads
    """
    found = [
        {"attribute": str(name), "level": level, "leads": len(rows), "share": len(rows) / len(attributes)}
        | _of_training(str(name), level, profile)
        | (_figures(leads.at(rows), confidence=confidence) if len(rows) >= min_slice else {})
        for name in attributes
        for level, rows in _levels(attributes[name], profile.bins.get(str(name)))
    ]
    table = pd.DataFrame(found).reindex(columns=list(COLUMNS))
    judged = table["p_value"].notna().to_numpy()
    table["verdict"] = np.where(judged, NOT_SHOWN, TOO_FEW)
    p_values = table.loc[judged, "p_value"].to_numpy(dtype=np.float64)
    table.loc[judged, "verdict"] = np.where(holm(p_values) < 1 - confidence, DIFFERS, NOT_SHOWN)
    return table


def holm(p_value: Floats) -> Floats:
    """Return p-values of several tests that hold for all of them together, in [0, 1].

    Parameters
    ----------
    p_value
        Of each test alone, shape (n_tests,).

    Examples
    --------
    >>> holm(np.array([0.04, 0.01, 0.03])).round(2).tolist()
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p_value, kind="stable")
    tests_left = len(p_value) - np.arange(len(p_value))
    adjusted = np.empty(len(p_value))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_value[order] * tests_left), 1.0)
    return adjusted


def level_names(values: pd.Series, bins: FieldBins | None) -> Objects:
    """Return the level of each lead as `slice_table` calls it, shape (n_leads,).

    Parameters
    ----------
    values
        Of an attribute.
    bins
        The ranges by which the training counted a number; None where it did not.
    """
    names = np.full(len(values), MISSING, dtype=object)
    for level, rows in _levels(values, bins):
        names[rows] = level
    return names


def _levels(values: pd.Series, bins: FieldBins | None) -> Iterator[tuple[str, Rows]]:
    """Yield each level of an attribute with the positions of its leads: ranges rising, others largest first."""
    if bins is not None and bins.kind != "category":
        numbers = pd.to_numeric(values, errors="coerce")  # a field may be declared as another kind since the training
        codes, labels = bins.positions(numbers.to_numpy(dtype=np.float64)), _names(bins)
        for code in np.unique(codes):
            yield labels[code], np.flatnonzero(codes == code)
        return
    texts = values.astype(object).where(values.notna(), MISSING).map(str).to_numpy()
    names, codes = np.unique(texts, return_inverse=True)
    sizes = np.bincount(codes, minlength=len(names))
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
    for code in np.lexsort((np.arange(len(names)), -sizes)):
        yield str(names[code]), rows[code]


def _names(bins: FieldBins) -> list[str]:
    """Return the level of each bin, and of missing values."""
    if bins.kind == "category":
        return [*bins.levels, bins.label(len(bins.levels)), MISSING]
    return [*map(bins.label, range(bins.size)), MISSING]


def _of_training(name: str, level: str, profile: Profile) -> dict[str, float]:
    """Return the share and the rate of a level in the training; nothing if it did not count the level."""
    counts = profile.slices.get(name)
    names = _names(profile.bins[name]) if counts else []
    if counts is None or level not in names:
        return {}
    position = names.index(level)
    rows, conversions = counts.rows[position], counts.conversions[position]
    return {"training_share": rows / sum(counts.rows), "training_rate": conversions / rows if rows else np.nan}


def _figures(leads: JudgedLeads, *, confidence: float) -> dict[str, float]:
    """Return the figures of a level with enough leads."""
    of_all = candidate_table(leads.probability, leads.label, groups=leads.cluster).iloc[0]
    rate, mean = float(of_all["precision"]), float(leads.probability.mean())
    rate_ends = rate_interval(rate, float(of_all["independent_leads"]), confidence=confidence)
    error = rate - mean
    standard_error = _standard_error(leads)
    half = float(ndtri(0.5 + confidence / 2)) * standard_error
    p_value = 2 * float(ndtr(-abs(error) / standard_error)) if standard_error > 0 else float(error == 0)
    auc = roc_auc_interval(leads.label, leads.probability, leads.codes, confidence=confidence)
    figures = {"conversions": float(of_all["conversions"]), "mean_probability": mean, "p_value": p_value}
    for name, ends in {
        "rate": (rate, *rate_ends),
        "calibration_error": (error, error - half, error + half),
        "roc_auc": auc,
    }.items():
        figures |= {f"{name}{end}": number for end, number in zip(ENDS, ends, strict=True)}
    return figures


def _standard_error(leads: JudgedLeads) -> float:
    """Return that of the rate less the mean probability.

    Where nobody converted the outcomes found vary too little, so it is at least that of independent outcomes with the
    probabilities that were said.
    """
    sums = np.bincount(leads.codes, weights=leads.label - leads.probability)
    clusters = len(sums)
    centred = sums - sums.mean()
    found = float((centred**2).sum()) * clusters / max(clusters - 1, 1)
    said = float((leads.probability * (1 - leads.probability)).sum())
    return float(np.sqrt(max(found, said))) / len(leads.label)
