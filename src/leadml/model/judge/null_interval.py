"""What a version is held to: the errors of its probabilities that its evaluation did not rule out.

No fitted model is exactly calibrated, so a test of exact calibration would alarm in the end about a model that never
changed. The evaluation on the holdout tells how far off the level, the slope and the parts of the score may have been
from the start. A review alarms only about errors beyond that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit

from leadml.model.judge.calibration_line import CalibrationLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.types import Floats, Labels, Rows

# An error is within 1.5 standard errors of its estimate with 87%. With more, alarms are rarer, right ones too.
ERRORS = 1.5
# Margins in log-odds of what is too small to act on. 0.1 is a tenth of the odds: 12.5% in place of 11.5%. A slope that
# is off by 0.05, or one part that counts for a tenth more or less than the score says, moves few leads.
LEVEL_MARGIN, SLOPE_MARGIN, PART_MARGIN = 0.1, 0.05, 0.1
NEWTON_STEPS = 25  # the loss is convex in two numbers; from 0 it takes about six
SMALLEST_STEP = 1e-10  # in log-odds: far below a standard error


@dataclass(frozen=True)
class NullInterval:
    """The errors in one direction that count as no change.

    A direction is a number of each lead; an error of ``theta`` in it means that the true log-odds are those of the
    score plus ``theta`` times that number.

    Parameters
    ----------
    low, high
        Ends in log-odds, ``low`` below 0 and ``high`` above 0; infinite where nothing could be estimated, so that
        nothing is alarmed of.
    """

    low: float
    high: float

    @classmethod
    def of(cls, estimate: float, error: float, *, margin: float) -> Self:
        """Return the interval of an estimate and its standard error."""
        if not np.isfinite(error):
            return cls(-np.inf, np.inf)
        return cls(min(estimate - ERRORS * error, -margin), max(estimate + ERRORS * error, margin))


@dataclass(frozen=True)
class Reference:
    """What the evaluation of a version says of the errors of its probabilities.

    Parameters
    ----------
    rows, conversions
        Number of rows of the holdout, and how many of them converted.
    center
        Mean of the log-odds of the probabilities.
    level, slope
        The null intervals of the level (the direction 1) and the slope (the log-odds less their mean).
    parts
        Names of the parts of the score, which the ranking is tested by; see `leadml.model.predict.parts`.
    score
        Of the log likelihood in the parts, at no error and the best level, shape (n_parts,).
    information
        Fisher's information of the parts, given the level, shape (n_parts, n_parts).
    variance
        Of the score, robust to dependence within groups, shape (n_parts, n_parts).
    line
        Level and slope of the calibration with their uncertainty; None where they could not be estimated.
    """

    rows: int
    conversions: int
    center: float
    level: NullInterval
    slope: NullInterval
    parts: Sequence[str]
    score: Floats
    information: Floats
    variance: Floats
    line: CalibrationLine | None = None

    @classmethod
    def of(cls, log_odds: Floats, label: Labels, parts: Mapping[str, Floats], *, groups: Rows | None = None) -> Self:
        """Return the reference of the rows that a version was evaluated on.

        Parameters
        ----------
        log_odds
            Log-odds of the calibrated probabilities, shape (n_rows,).
        label
            Outcomes, shape (n_rows,).
        parts
            By name, the log-odds that fields contribute, each of shape (n_rows,).
        groups
            Number of the account or lead of each row, whose rows are not independent; None where all are.
        """
        center = float(log_odds.mean())
        level = NullInterval.of(*fit_direction(log_odds, label, None, groups), margin=LEVEL_MARGIN)
        slope = NullInterval.of(*fit_direction(log_odds, label, log_odds - center, groups), margin=SLOPE_MARGIN)
        values = np.column_stack([np.empty((len(label), 0)), *parts.values()])
        scores, information = part_scores(log_odds, values, label)
        by_group = scores if groups is None else _group_sums(scores, groups)
        variance = by_group.T @ by_group
        names, total = tuple(parts), scores.sum(axis=0)
        line = None
        if np.isfinite(slope.high):
            line = CalibrationLine.of(label, expit(log_odds), cluster=groups)
        counts = len(label), int(label.sum())
        return cls(*counts, center, level, slope, names, total, information, variance, line)

    def edges(self, errors: Floats) -> Floats:
        """Return how much of some errors of the parts counts as no change.

        Parameters
        ----------
        errors
            Errors of the parts, in log-odds of each log-odds of a part, shape (n_errors, n_parts).

        Returns
        -------
        edges
            The multiple of each error that is the end of its null interval, shape (n_errors,): 0.4 means that four
            tenths of the error count as none. Infinite for an error that the reference says nothing of.
        """
        known = np.einsum("ij,jk,ik->i", errors, self.information, errors)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", errors, self.variance, errors))
        largest = np.abs(errors).max(axis=1, initial=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.maximum((errors @ self.score + ERRORS * spread) / known, PART_MARGIN / largest)
        return np.where((known > 0) & (largest > 0), ends, np.inf)

    def to_json(self) -> dict[str, Any]:
        """Return the reference as values that JSON can store."""
        arrays = {name: getattr(self, name).tolist() for name in ("score", "information", "variance")}
        ends = {name: _ends(getattr(self, name)) for name in ("level", "slope")}
        counts = {"rows": self.rows, "conversions": self.conversions, "center": self.center}
        line = None if self.line is None else asdict(self.line) | {"covariance": self.line.covariance.tolist()}
        return {**counts, **ends, "parts": list(self.parts), **arrays, "line": line}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the reference that `to_json` wrote."""
        level, slope = (NullInterval(*(stored[name] or (-np.inf, np.inf))) for name in ("level", "slope"))
        shape = (len(stored["parts"]), len(stored["parts"]))
        line = stored["line"]
        return cls(
            rows=stored["rows"],
            conversions=stored["conversions"],
            center=stored["center"],
            level=level,
            slope=slope,
            parts=tuple(stored["parts"]),
            score=np.array(stored["score"], dtype=np.float64),
            information=np.array(stored["information"], dtype=np.float64).reshape(shape),
            variance=np.array(stored["variance"], dtype=np.float64).reshape(shape),
            line=line and CalibrationLine(**{**line, "covariance": np.array(line["covariance"])}),
        )


def fit_direction(
    log_odds: Floats, label: Labels, direction: Floats | None, groups: Rows | None = None
) -> tuple[float, float]:
    """Return the error in one direction and its standard error.

    Logistic regression of the outcomes on the direction and a constant, beside the log-odds of the score (an offset),
    or on the constant alone. The standard error is robust to dependence within groups (Liang & Zeger, Biometrika 73,
    1986).

    Parameters
    ----------
    log_odds, label
        As for `Reference.of`.
    direction
        The number of each row, shape (n_rows,); None for the level.
    groups
        As for `Reference.of`.

    Returns
    -------
    estimate, error
        In log-odds. A direction that does not vary, or outcomes that are all alike, give 0 and infinity.

    Examples
    --------
    >>> import numpy as np
    >>> label = np.array([1, 0] * 50, dtype=np.int8)
    >>> estimate, error = fit_direction(np.full(100, 1.0), label, None)
    >>> round(estimate, 6), round(error, 6)
    (-1.0, 0.2)
    """
    rows = len(label)
    if not 0 < label.sum() < rows or (direction is not None and np.ptp(direction) == 0):
        return 0.0, np.inf
    design = np.ones((rows, 1)) if direction is None else np.column_stack([np.ones(rows), direction])
    coefficients = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        mean = expit(log_odds + design @ coefficients)
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        step = np.linalg.lstsq(information, design.T @ (label - mean), rcond=None)[0]
        coefficients += step
        if np.abs(step).max() < SMALLEST_STEP:
            break
    scores = design * (label - expit(log_odds + design @ coefficients))[:, None]
    if groups is not None:
        scores = _group_sums(scores, groups)
    inverse = np.linalg.pinv(information)
    variance = (inverse @ (scores.T @ scores) @ inverse)[-1, -1]
    estimate = float(coefficients[-1])
    return (estimate, float(np.sqrt(variance))) if np.isfinite(estimate) else (0.0, np.inf)


def part_scores(log_odds: Floats, parts: Floats, label: Labels) -> tuple[Floats, Floats]:
    """Return the score of each row in the parts, and the information of all rows, both given the level of the rows.

    Parameters
    ----------
    log_odds, label
        Of some rows, shape (n_rows,).
    parts
        Shape (n_rows, n_parts).

    Returns
    -------
    scores, information
        Of shape (n_rows, n_parts) and (n_parts, n_parts). All are 0 if outcomes are all alike.
    """
    level, error = fit_direction(log_odds, label, None)
    mean = expit(log_odds + level)
    weight = mean * (1 - mean)
    centered = parts - (weight @ parts) / weight.sum() if len(label) else parts
    known = float(np.isfinite(error))
    return known * centered * (label - mean)[:, None], known * (centered * weight[:, None]).T @ centered


def _group_sums(scores: Floats, groups: Rows) -> Floats:
    sums = np.zeros((int(groups.max(initial=-1)) + 1, scores.shape[1]))
    np.add.at(sums, groups, scores)
    return sums


def _ends(interval: NullInterval) -> list[float] | None:
    return [interval.low, interval.high] if np.isfinite(interval.high) else None
