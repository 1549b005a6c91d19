"""The parts of a score that a review tests the ranking by: the log-odds that its strongest fields contribute.

They are kept with each score, since the fields of a lead change later. A byte each is enough: a test of an error in
some direction is valid whatever the direction is, and a rounding of 1/32 hardly turns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.model.predict.explain import Explanation
    from leadml.types import Floats, Mask, Objects

# 16 bytes are a fifth of what a score takes in the store (benchmarks/store.py). The error of a part that moves few
# scores is learnt from many outcomes only, and does little harm.
MOST_PARTS = 16
# Leads of a batch whose parts are kept. At a rate of 2% they are 400 conversions, more than a verdict asks for, and a
# million scores do not take longer to keep.
LEADS_KEPT = 20_000
ALL_HASHES = 2.0**64  # the number of values of a hash of 64 bits
STEPS = 32  # of one log-odds: a byte holds -4 to 4, odds of 1/55 to 55 times


def strongest_parts(explanation: Explanation) -> list[str]:
    """Return the names of the topics whose log-odds vary most, strongest first, at most 16.

    Parameters
    ----------
    explanation
        Of the rows that a version was evaluated on.
    """
    spread = explanation.topic_log_odds().std(axis=0)
    order = np.argsort(-spread, kind="stable")[:MOST_PARTS]
    return [explanation.topics[at].name for at in order if spread[at] > 0]


def part_log_odds(explanation: Explanation, names: Sequence[str], rows: Mask | slice = slice(None)) -> Floats:
    """Return the log-odds of some topics of some rows as they are kept: in steps of 1/32, from -4 to 4.

    Parameters
    ----------
    explanation
        Of some leads.
    names
        Names of the topics.
    rows
        Which leads; by default all.

    Returns
    -------
    parts
        Shape (n_rows, n_names).
    """
    position = {topic.name: at for at, topic in enumerate(explanation.topics)}
    exact = explanation.topic_log_odds(rows)[:, [position[name] for name in names]]
    return np.asarray(np.clip(np.rint(exact * STEPS), -127, 127) / STEPS)


def to_bytes(parts: Floats) -> Objects:
    r"""Return parts as bytes, one for each number, shape (n_rows,).

    Examples
    --------
    >>> import numpy as np
    >>> to_bytes(np.array([[0.5, -1.0]])).tolist()
    [b'\x10\xe0']
    """
    codes = np.ascontiguousarray(np.rint(parts * STEPS).astype(np.int8))
    return np.array([row.tobytes() for row in codes] + [None], dtype=object)[:-1]


def sampled_bytes(explanation: Explanation, names: Sequence[str], lead_ids: Objects, *, leads: int) -> Objects:
    """Return the bytes to keep of each lead; None for leads beyond some 20,000 of a batch, chosen by their ids.

    Parameters
    ----------
    explanation
        Of the leads of a chunk.
    names
        Names of the parts.
    lead_ids
        Ids of these leads, shape (n_rows,).
    leads
        Number of leads of the whole batch.
    """
    kept = pd.util.hash_array(lead_ids, categorize=False) <= ALL_HASHES * min(LEADS_KEPT / max(leads, 1), 1.0)
    found = np.full(len(lead_ids), None, dtype=object)
    found[kept] = to_bytes(part_log_odds(explanation, names, kept))
    return found


def from_bytes(stored: Sequence[bytes], number: int) -> Floats:
    """Return parts from their bytes, shape (n_rows, n_parts).

    Examples
    --------
    >>> from_bytes([bytes([16, 224])], 2).tolist()
    [[0.5, -1.0]]
    """
    codes = np.frombuffer(b"".join(stored), dtype=np.int8).reshape(len(stored), number)
    return np.asarray(codes / STEPS)
