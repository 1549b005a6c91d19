"""Recognise acts of mail scanners and bots among the activities of leads: by what they say, and by their pattern.

Each act gets the instant from which on it is known to be a machine's, so that a snapshot uses no later knowledge.
Whether acts count is decided elsewhere. Decision 27 says why these rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadml.params import MachineParams
    from leadml.types import Integers, Mask, Rows

MACHINE_COLUMNS = ("message", "marks")
MACHINE_REASON = "machine_reason"
SAYS_SO, IS_MAIL, IS_DELIVERY = 1, 2, 4  # marks of an activity, added up
REASONS = ("delivery", "agent or address", "before or at delivery", "burst", "no pause")
DELIVERY, SAYS, EARLY, BURST, NO_PAUSE = range(len(REASONS))
SECOND, HOUR = 1_000_000, 3_600_000_000  # microseconds
PAUSE = 600 * SECOND  # ten minutes: nobody who reads, types or talks is without one for hours
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class FoundMachines:
    """The acts of machines among some activities.

    Parameters
    ----------
    since
        Arrow array of shape (n_activities,): the instant from which on an act is known to be a machine's, microseconds;
        null for an act of a person.
    reason
        Position of the reason in `REASONS`, of the rule that knows it first; -1 for an act of a person.
    """

    since: pa.Array
    reason: Integers


def machine_columns(
    kind: pa.ChunkedArray, texts: Mapping[str, pa.ChunkedArray], machines: MachineParams
) -> dict[str, pa.Array]:
    """Return the columns by which machines are recognised, whole numbers: a hash of the mail, and the marks.

    Parameters
    ----------
    kind
        Kind of each activity.
    texts
        ``message``, ``agent`` and ``address`` of each activity, those that the table has.
    machines
        The rules.
    """
    marks = np.zeros(len(kind), dtype=np.int64)
    for names, mark in ((machines.mail, IS_MAIL), (machines.delivered, IS_DELIVERY)):
        marks += mark * _mask(pc.is_in(kind, value_set=pa.array(list(names), pa.string())))
    says_so = np.zeros(len(kind), dtype=bool)
    if "agent" in texts and machines.agents:
        words = "|".join(re.escape(word) for word in machines.agents)
        says_so |= _mask(pc.match_substring_regex(texts["agent"], words, ignore_case=True))
    if "address" in texts and machines.addresses:
        says_so |= _in_networks(texts["address"], machines.addresses)
    message = pa.nulls(len(kind), pa.int64())
    if "message" in texts:
        found = texts["message"].combine_chunks()
        plain = np.asarray(found.fill_null("").to_pandas(), dtype=object)
        hashes = pd.util.hash_array(plain, categorize=False).view(np.int64)
        message = pa.array(hashes, mask=found.is_null().to_numpy(zero_copy_only=False))
    return {"message": message, "marks": pa.array(marks + SAYS_SO * says_so)}


def find_machines(activities: pa.Table, machines: MachineParams) -> FoundMachines:
    """Return the acts of machines.

    Parameters
    ----------
    activities
        All activities of some leads: ``lead, occurred_at, recorded_at, message, marks``.
    machines
        The rules.
    """
    acts = _Acts.of(activities)
    since = np.full((len(REASONS), len(acts.lead)), NEVER)
    is_delivery, says_so = acts.is_marked(IS_DELIVERY), acts.is_marked(SAYS_SO)
    since[DELIVERY][is_delivery] = acts.recorded[is_delivery]
    since[SAYS][says_so] = acts.recorded[says_so]
    is_mail = acts.is_marked(IS_MAIL) & ~is_delivery
    span = round(machines.seconds * SECOND)
    _mark_early(acts, is_mail, is_delivery, span, since[EARLY])
    _mark_bursts(acts, is_mail, span, machines.burst, since[BURST])
    if machines.hours is not None:
        _mark_long_runs(acts, ~is_delivery, round(machines.hours * HOUR), since[NO_PAUSE])
    first = since.min(axis=0, initial=NEVER)
    is_machine = first < NEVER
    return FoundMachines(pa.array(first, mask=~is_machine), np.where(is_machine, since.argmin(axis=0), -1))


@dataclass(frozen=True)
class _Acts:
    """The columns of activities, as arrays; -1 for no mail."""

    lead: Integers
    occurred: Integers
    recorded: Integers
    message: Integers
    marks: Integers

    @classmethod
    def of(cls, table: pa.Table) -> _Acts:
        filled = table.set_column(table.column_names.index("message"), "message", pc.fill_null(table["message"], -1))
        names = ("lead", "occurred_at", "recorded_at", "message", "marks")
        return cls(*(filled[name].to_numpy() for name in names))

    def is_marked(self, mark: int) -> Mask:
        return (self.marks & mark) > 0

    def by_mail(self, chosen: Mask) -> tuple[Rows, Rows]:
        """Return chosen rows by lead, mail and time, and the number of the mail of each."""
        rows = np.flatnonzero(chosen)
        rows = rows[np.lexsort((self.occurred[rows], self.message[rows], self.lead[rows]))]
        return rows, _numbers(self.lead[rows], self.message[rows])


def _mark_early(acts: _Acts, is_mail: Mask, is_delivery: Mask, span: int, since: Integers) -> None:
    """Mark acts on a mail before its delivery, or no more than a span after it."""
    rows, mail = acts.by_mail((is_mail | is_delivery) & (acts.message != -1))
    if not len(rows):
        return
    delivered, known = (np.full(mail[-1] + 1, NEVER) for _ in range(2))
    deliveries = is_delivery[rows]
    np.minimum.at(delivered, mail[deliveries], acts.occurred[rows[deliveries]])
    np.minimum.at(known, mail[deliveries], acts.recorded[rows[deliveries]])
    has_delivery = delivered[mail] < NEVER
    early = ~deliveries & has_delivery & (acts.occurred[rows] - span <= delivered[mail])
    since[rows[early]] = np.maximum(acts.recorded[rows[early]], known[mail[early]])


def _mark_bursts(acts: _Acts, is_mail: Mask, span: int, size: int, since: Integers) -> None:
    """Mark acts on one mail that follow each other so fast that only a machine does it."""
    rows, mail = acts.by_mail(is_mail)
    if not len(rows):
        return
    cluster = _clusters(acts.occurred[rows], mail, span)
    is_burst = np.bincount(cluster)[cluster] >= size
    known = np.zeros(cluster[-1] + 1, dtype=np.int64)
    np.maximum.at(known, cluster, acts.recorded[rows])
    since[rows[is_burst]] = known[cluster[is_burst]]


def _mark_long_runs(acts: _Acts, chosen: Mask, span: int, since: Integers) -> None:
    """Mark acts of a lead that go on for a span without a pause."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((acts.occurred[rows], acts.lead[rows]))]
    if not len(rows):
        return
    occurred = acts.occurred[rows]
    run = _clusters(occurred, _numbers(acts.lead[rows]), PAUSE)
    starts = np.flatnonzero(np.append(True, run[1:] != run[:-1]))
    is_long = occurred - occurred[starts][run] >= span
    reached = np.full(run[-1] + 1, NEVER)
    np.minimum.at(reached, run[is_long], np.maximum(occurred, acts.recorded[rows])[is_long])
    in_long = reached[run] < NEVER
    since[rows[in_long]] = np.maximum(acts.recorded[rows[in_long]], reached[run[in_long]])


def _clusters(occurred: Integers, group: Rows, span: int) -> Rows:
    """Return the number of the cluster of each act: one of the same group and no more than a span after the last."""
    new = np.append(True, (group[1:] != group[:-1]) | (occurred[1:] - occurred[:-1] > span))
    return np.asarray(np.cumsum(new) - 1)


def _numbers(*sorted_keys: Any) -> Rows:
    """Return the number of the group of each row, where rows of one group follow each other."""
    differs = np.zeros(max(len(sorted_keys[0]) - 1, 0), dtype=bool)
    for key in sorted_keys:
        differs |= key[1:] != key[:-1]
    return np.asarray(np.cumsum(np.append(0, differs))[: len(sorted_keys[0])])


def _in_networks(addresses: pa.ChunkedArray, networks: tuple[str, ...]) -> Mask:
    known = [ip_network(network) for network in networks]
    inside = []
    for text in pc.unique(addresses).drop_null().to_pylist():
        try:
            address = ip_address(text.strip())
        except ValueError:
            continue
        if any(address in network for network in known):
            inside.append(text)
    return _mask(pc.is_in(addresses, value_set=pa.array(inside, pa.string())))


def _mask(found: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(found, fill_value=False).to_numpy(), dtype=bool)
