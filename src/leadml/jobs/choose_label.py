"""Choose the column of a file that says what became of leads, or ask a person where the file does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import LeadmlError, inert, nearest, quoted
from leadml.jobs.answers import UndecidedError
from leadml.leads.judge.label_candidates import MAX_LEVELS, Candidate, declared_candidate, find_candidates
from leadml.params import label_word, normal_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.jobs.answers import Answers
    from leadml.leads.judge.column_content import ColumnContent
    from leadml.leads.judge.presets import Preset
    from leadml.types import Mask, Objects

SAME_OUTCOME = 0.98  # of the leads: two columns that agree so often say the same of who was won
MOST_SHOWN = 12  # columns that fit into a message


def choose_label(
    contents: Mapping[str, ColumnContent],
    values: Mapping[str, Objects],
    answers: Answers,
    *,
    preset: Preset | None = None,
) -> Candidate:
    """Return the column that is the label, with the meaning of its values.

    Parameters
    ----------
    contents
        What each column holds.
    values
        The texts of each column that may be the label, None where missing.
    answers
        What a person has settled.
    preset
        What is known of the CRM that the file comes from.

    Raises
    ------
    UndecidedError
        Where two columns disagree, none speaks of an outcome, or it is open which values mean won.
    LeadmlError
        Where a column or a value that a person named does not exist.
    """
    if answers.label is not None:
        return _declared(contents, normal_name(answers.label), answers)
    known = None if preset is None else _known(contents, preset)
    if known is not None:
        return known
    levels = {name: contents[name].levels for name in values}
    found = find_candidates(levels)
    if not found:
        columns = [name for name, content in contents.items() if content.kind in {"boolean", "category", "number"}]
        few = [name for name in columns if 1 < contents[name].distinct <= MAX_LEVELS]
        shown = ", ".join(inert(name) for name in few[:MOST_SHOWN]) or "none"
        message = (
            f"no column says by its name and values which leads converted; columns with few values: {shown}; name the "
            "one that does: leadml init FILE --label COLUMN --positive VALUE"
        )
        raise UndecidedError(message, "label", few)
    best = found[0]
    won = _is_won(values[best.column], best)
    for other in found[1:]:
        if other.strength == best.strength and (won == _is_won(values[other.column], other)).mean() < SAME_OUTCOME:
            names = [candidate.column for candidate in found if candidate.strength == best.strength]
            message = (
                f"{' and '.join(quoted(name) for name in names)} both seem to say which leads converted, and they "
                f"disagree; choose: leadml init FILE --label {quoted(names[0])}"
            )
            raise UndecidedError(message, "label", names)
    return best


def _known(contents: Mapping[str, ColumnContent], preset: Preset) -> Candidate | None:
    """Return the column in which a CRM says what became of leads, or None where the export has none."""
    for label in preset.labels:
        name = preset.first([label.column], contents)
        if name is None or len(contents[name].levels) > MAX_LEVELS:
            continue
        words = {"positive": label.positive, "negative": label.negative, "open_": label.open}
        found = declared_candidate(name, contents[name].levels, **words, why=f"where {preset.name} says it")
        if found is not None:
            return found
    return None


def _declared(contents: Mapping[str, ColumnContent], name: str, answers: Answers) -> Candidate:
    """Return the column that a person named, with the meanings that the person gave and those that follow."""
    if name not in contents:
        msg = f"--label must name a column, got {quoted(name)}{nearest(name, contents)}"
        raise LeadmlError(msg)
    levels = contents[name].levels
    known = {label_word(level) for level in levels}
    for option, words in (("positive", answers.positive), ("negative", answers.negative), ("open", answers.open)):
        for word in words:
            if label_word(word) not in known:
                msg = f"--{option} must be a value of {inert(name)}, got {quoted(word)}{nearest(word, levels)}"
                raise LeadmlError(msg)
    if len(levels) <= MAX_LEVELS or answers.positive:
        found = declared_candidate(
            name, levels, positive=answers.positive, negative=answers.negative, open_=answers.open
        )
        if found is not None:
            return found
    shown = sorted(level for level in levels if level)
    message = (
        f"it is open which values of {quoted(name)} mean converted: {_shown(shown)}; name them: leadml init FILE "
        f"--label {quoted(name)} --positive VALUE"
    )
    raise UndecidedError(message, "positive", shown[:MOST_SHOWN])


def _is_won(values: Objects, candidate: Candidate) -> Mask:
    """Return which leads converted by a column."""
    words = {label_word(word) for word in candidate.positive}
    by_value = {value: label_word(value or "") in words for value in set(values)}
    return np.fromiter((by_value[value] for value in values), dtype=bool, count=len(values))


def _shown(words: Sequence[str]) -> str:
    more = f" and {len(words) - MOST_SHOWN:,} more" if len(words) > MOST_SHOWN else ""
    return ", ".join(quoted(word) for word in words[:MOST_SHOWN]) + more
