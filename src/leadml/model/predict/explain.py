"""Explain the probability of each lead by contributions of its fields that add up to it.

A contribution is given in log-odds and in points, which are percentage points of the calibrated probability. The
starting point and the points of all fields add up to 100 times the probability. Contributions are exact: nothing is
sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.errors import inert
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.check.field import Field
from leadml.model.predict.lead_model import sum_by_owner, sum_contributions

if TYPE_CHECKING:
    from leadml.model.predict.lead_model import LeadModel
    from leadml.types import Floats, Mask, Objects, Rows


# Of a difference: below it, rounding costs a secant more digits than the derivative is away from it.
SMALLEST_LOG_ODDS = 1e-9
NEW, FAR = "new to the model", "beyond the leads of the training"
START, START_GROUP = "starting point", "start"


@dataclass(frozen=True)
class Explanation:
    """Contributions of every field to every lead.

    Parameters
    ----------
    fields
        The fields, in order.
    log_odds
        Array of shape (n_rows, n_fields): log-odds before calibration.
    start_margin
        Log-odds of the mean lead, the same for all.
    margin
        Array of shape (n_rows,): ``start_margin`` plus the row of ``log_odds``.
    probability
        Array of shape (n_rows,): the calibrated probability, in (0, 1).
    points
        Array of shape (n_rows, n_fields): percentage points of the probability.
    start_points
        100 times the calibrated probability at ``start_margin``.
    values
        Array of shape (n_rows, n_fields): the encoded fields that are explained.
    is_new, is_far
        Arrays of shape (n_rows, n_fields): which of them are new to the model, and which are numbers beyond those
        of the training set.
    """

    fields: tuple[Field, ...]
    log_odds: Floats
    start_margin: float
    margin: Floats
    probability: Floats
    points: Floats
    start_points: float
    values: Floats
    is_new: Mask
    is_far: Mask

    @cached_property
    def topics(self) -> tuple[Field, ...]:
        """Each topic once, in order; a field without a topic is its own."""
        first = {field.subject: field for field in reversed(self.fields)}
        return tuple(Field(name, "number", first[name].group) for name in dict.fromkeys(f.subject for f in self.fields))

    @cached_property
    def _owners(self) -> Rows:
        """Array of shape (n_fields,): the position of the topic that each field belongs to."""
        positions = {topic.name: position for position, topic in enumerate(self.topics)}
        return np.array([positions[field.subject] for field in self.fields], dtype=np.intp)

    @cached_property
    def topic_points(self) -> Floats:
        """Array of shape (n_rows, n_topics): the points of all fields of a topic."""
        return sum_by_owner(self.points, self._owners)

    def topic_log_odds(self, rows: Mask | slice = slice(None)) -> Floats:
        """Return the log-odds of all fields of a topic before calibration, of some rows: shape (n_rows, n_topics)."""
        return sum_by_owner(self.log_odds[rows], self._owners)

    def strongest_member(self, topic: int) -> Rows:
        """Return for each lead the field of a topic with the most points of the same sign as the topic's points."""
        members = np.flatnonzero(self._owners == topic)
        same_sign = self.points[:, members] * np.where(self.topic_points[:, [topic]] < 0, -1.0, 1.0)
        return np.asarray(members[np.argmax(same_sign, axis=1)])

    def remarks(self, rows: Rows | slice, index: int) -> Objects:
        """Return what is said of the value of a field beside the value itself, of shape (n_rows,)."""
        return np.where(self.is_new[rows, index], NEW, np.where(self.is_far[rows, index], FAR, "")).astype(object)

    def group_points(self, group: str) -> Floats:
        """Return the points of all fields of a group, shape (n_rows,)."""
        total = np.zeros(len(self.points))
        for index, field in enumerate(self.fields):  # one by one: the sum of a lead does not depend on other leads
            if field.group == group:
                total += self.points[:, index]
        return total


def explain_leads(model: LeadModel, fields: Floats) -> Explanation:
    """Return the contributions of every field to the probability of each lead.

    Log-odds are the SHAP values of the trees and the terms of the linear part, with their weights in the model. Points
    are log-odds times the slope of the calibrator's secant between the mean lead and this one, so that signs stay the
    same; where the two coincide the derivative of the calibrator replaces the secant.

    Parameters
    ----------
    model
        The model.
    fields
        Of the encoder's `fields_of`, shape (n_rows, n_fields).
    """
    is_new = model.encoder.is_new(fields)
    start, log_odds = model.contributions(fields, is_new)
    margin = sum_contributions(start, log_odds)
    probability = model.calibrator.probability(margin)
    start_probability = float(model.calibrator.probability(np.array([start]))[0])
    differs = np.abs(margin - start) > SMALLEST_LOG_ODDS
    secant = model.calibrator.steepness(margin)
    secant[differs] = (probability[differs] - start_probability) / (margin[differs] - start)
    points = 100.0 * log_odds * secant[:, None]
    start_points = 100.0 * start_probability
    is_far = model.encoder.is_far(fields)
    sums = (log_odds, start, margin, probability, points, start_points)
    return Explanation(model.encoder.fields, *sums, fields, is_new, is_far)


def reason_text(field: Field, value: object, remark: str = "") -> str:
    """Return the value of a field as a reason in words.

    Parameters
    ----------
    field
        The field.
    value
        Of the lead, before it is encoded.
    remark
        Of `Explanation.remarks`.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> reason_text(Field("balance", "number", "fit"), 1787.0)
    'balance is 1,787'
    >>> reason_text(Field("loan", "boolean", "fit"), 1.0)
    'loan is yes'
    >>> reason_text(Field("demo_7d", "number", "engagement", words="{} demos in the last 7 days"), 2.0)
    '2 demos in the last 7 days'
    >>> reason_text(Field("channel", "category", "fit"), "Podcast", NEW)
    'channel is Podcast, which is new to the model'
    """
    if remark:
        return f"{inert(field.name)} is {value_text(field, value)}, which is {remark}"
    missing = value is None or (isinstance(value, float) and np.isnan(value))
    if missing and field.words_if_missing:
        return inert(field.words_if_missing)
    if field.words and not missing:
        return inert(field.words).replace("{}", value_text(field, value), 1)
    return f"{inert(field.name)} is {value_text(field, value)}"


def value_text(field: Field, value: object) -> str:
    """Return the value of a field as text for people, without control characters."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "not known"
    if field.kind == "boolean":
        return "yes" if value else "no"
    if field.kind == "number":
        return f"{float(str(value)):,.3g}" if field.source == "activity" else f"{float(str(value)):,.10g}"
    return inert(value)


def strongest_reasons(explanation: Explanation, frame: pd.DataFrame, *, reasons: int) -> dict[str, Any]:
    """Return the columns of each lead's strongest reasons and of everything else, rounded so that they add up.

    All are rounded to a tenth of a point: ``starting_point + reason_1_points + ... + everything_else`` is the rounded
    score.

    Parameters
    ----------
    explanation
        Of the leads of ``frame``.
    frame
        Checked leads.
    reasons
        How many reasons, at least 1.
    """
    count = min(reasons, len(explanation.topics))
    order = np.argsort(-np.abs(explanation.topic_points), axis=1, kind="stable")[:, :count]
    tenths = np.rint(10 * np.take_along_axis(explanation.topic_points, order, axis=1)).astype(np.int64)
    start = int(np.rint(10 * explanation.start_points))
    rest = np.rint(1000 * explanation.probability).astype(np.int64) - start - tenths.sum(axis=1)
    members = np.stack([explanation.strongest_member(topic) for topic in range(len(explanation.topics))], axis=1)
    texts = _reason_texts(explanation, frame, np.take_along_axis(members, order, axis=1))
    columns: dict[str, Any] = {"starting_point": np.full(len(frame), start / 10)}
    for rank in range(count):
        columns[f"reason_{rank + 1}"] = texts[:, rank]
        columns[f"reason_{rank + 1}_points"] = tenths[:, rank] / 10
    columns["everything_else"] = rest / 10
    return columns


def _reason_texts(explanation: Explanation, frame: pd.DataFrame, field_of_reason: Rows) -> Objects:
    """Return the text of each reason, of the shape of ``field_of_reason``: (n_rows, n_reasons)."""
    texts = np.empty(field_of_reason.shape, dtype=object)
    for index, field in enumerate(explanation.fields):
        cells = np.nonzero(field_of_reason == index)
        codes, values = pd.factorize(frame[field.name].to_numpy()[cells[0]], use_na_sentinel=False)
        remarks = np.full(len(values), "", dtype=object)
        remarks[codes] = explanation.remarks(cells[0], index)  # of a value, whatever the lead
        words = [reason_text(field, value, remark) for value, remark in zip(values, remarks, strict=True)]
        texts[cells] = np.array(words, dtype=object)[codes] if words else []
    return texts


def contribution_table(frame: pd.DataFrame, explanation: Explanation) -> pd.DataFrame:
    """Return every contribution as a long table.

    The columns are ``lead_id, field, group, value, log_odds, points``. The starting point is a row of its own, so that
    the points of a lead add up to 100 times its probability and its log-odds to its margin.

    Parameters
    ----------
    frame
        Checked leads.
    explanation
        Of the leads of ``frame``.
    """
    parts = [_field_rows(frame, START, START_GROUP, np.full(len(frame), "", dtype=object))]
    parts[0]["log_odds"], parts[0]["points"] = explanation.start_margin, explanation.start_points
    for index, entry in enumerate(explanation.fields):
        values = frame[entry.name].to_numpy()
        texts = np.array([value_text(entry, value) for value in values.tolist()], dtype=object)
        part = _field_rows(frame, entry.name, entry.group, texts)
        part["log_odds"], part["points"] = explanation.log_odds[:, index], explanation.points[:, index]
        parts.append(part)
    table = pd.concat(parts)
    return table.sort_index(kind="stable").reset_index(drop=True)


def _field_rows(frame: pd.DataFrame, name: str, group: str, values: Any) -> pd.DataFrame:
    constant = {column: np.full(len(frame), text, dtype=object) for column, text in (("field", name), ("group", group))}
    return pd.DataFrame({"lead_id": frame[LEAD_ID].to_numpy(), **constant, "value": values})
