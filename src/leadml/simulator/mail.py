"""Add to simulated activities what a mail system and a web log tell: mails, deliveries, agents, addresses and machines.

Nothing here changes what a lead is interested in or what becomes of it: people open the same mails as without it.
Machines open and click whether or not anybody is interested.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadml.simulator.crm_tables import instants, lead_ids
from leadml.simulator.lead_attributes import START

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from leadml.simulator.lead_attributes import LeadAttributes

    Integers = NDArray[np.int64]

SECOND = 1_000_000  # microseconds
DAY_SECONDS = 86_400  # 24 * 60 * 60
OPEN, CLICK, DELIVERED, VISIT = "email_open", "email_click", "email_delivered", "page_visit"
# Half of the people open a mail within an hour, one in fifty within ten seconds: (ln 10 - ln 3600) / 2.866 = -2.054.
OPEN_MEDIAN, OPEN_SPREAD = 3600.0, 2.866
# From opening a mail to a click in it, where both are of one mail; one in 400 is faster than two seconds.
CLICK_MEDIAN, CLICK_SPREAD = 25.0, 0.9
LONGEST_WAIT = 5 * DAY_SECONDS  # invented; a later act is on a mail of its own
UNOPENED = 1.5  # mails that nobody opens, for each that somebody opens
SCANNED_ACCOUNTS = 0.4  # share of the accounts whose mail is scanned
LINKS = 3.0  # of a mail, above the first
OPENS_TOO = 0.7  # share of scans that load the images of a mail
SILENT = 1 / 3  # share of the scans that name no agent and wait for more than a minute
# Invented, in seconds and as shares: how soon after the delivery gateways act, and how many of them before it.
FAST_MEDIAN, FAST_SPREAD, BEFORE_DELIVERY = 3.0, 1.0, 0.1
# Invented, in seconds: scanners that wait, so that they are not taken for machines by their delay.
SILENT_LEAST, SILENT_MEDIAN, SILENT_SPREAD = 61.0, 240.0, 0.8
BETWEEN_LINKS = 0.4  # mean seconds
NO_AGENT = 0.05  # share of the acts of people whose agent is not told
VISIT_SECONDS, RUN_HOURS = (20.0, 90.0), (5.0, 12.0)  # of a bot: between two visits, and in all

CLIENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/122.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Thunderbird/115.9.0",
)
SCANNERS = (
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; MimecastURLProtect/1.2)",
    "ProofpointTAP/3.1 UrlDefense",
    "Mozilla/5.0 (Windows NT 10.0) SafeLinks-Prefetch",
    "TrendMicro-IMSVA-LinkScanner/9",
)


@dataclass(frozen=True)
class MailOptions:
    """How many machines there are.

    Parameters
    ----------
    scanners
        Share of opens and clicks that are by mail scanners, in [0, 1).
    bots
        Share of page visits that are by bots, in [0, 1).
    """

    scanners: float
    bots: float


@dataclass(frozen=True)
class _Mails:
    """The mails that are sent: when each is delivered, in seconds, and to which lead."""

    delivered: Integers
    sent_to: Integers


@dataclass
class _Rows:
    """Rows of activities: position of the lead, seconds, name of the kind, mail (-1 for none), agent, by a machine."""

    lead: list[int] = field(default_factory=list)
    seconds: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    mail: list[int] = field(default_factory=list)
    agent: list[str | None] = field(default_factory=list)
    by_machine: list[bool] = field(default_factory=list)

    def add(self, lead: int, seconds: Iterable[int], kinds: Sequence[str], mail: int, agent: str | None) -> None:
        """Add acts of a machine on one mail, or on none."""
        size = len(kinds)
        self.lead += [lead] * size
        self.seconds += seconds
        self.kind += kinds
        self.mail += [mail] * size
        self.agent += [agent] * size
        self.by_machine += [True] * size


def add_mail(
    table: pa.Table, attributes: LeadAttributes, *, days: int, options: MailOptions, first: int, rng: Generator
) -> tuple[pa.Table, pa.Table]:
    """Return the activities with mails and machines, and the acts that are by machines.

    Parameters
    ----------
    table
        Activities of a chunk of leads, of `crm_tables.activities_table`.
    attributes
        The leads of the chunk.
    days
        Length of the simulation.
    options
        How many machines.
    first
        Number of the first lead of the chunk.
    rng
        Source of random numbers.

    Returns
    -------
    tuple
        The activities with ``message_id, agent``, in the order of leads and instants, and the rows of them that are
        acts of machines: ``lead_id, occurred_at, kind, message_id``.
    """
    lead = pc.cast(pc.utf8_slice_codeunits(table["lead_id"], 1), pa.int64()).to_numpy() - first
    kind, stop = np.asarray(table["kind"].to_pandas(), dtype=object), days * DAY_SECONDS
    begun = START.astype("datetime64[s]").astype(np.int64)
    told = [table[name].cast(pa.int64()).to_numpy() // SECOND - begun for name in ("occurred_at", "recorded_at")]
    mail, mails = _mails_of_people(lead, told[0], kind, attributes.created, rng)
    occurred = _clicks_soon_after(told[0], kind, mail, stop, rng)
    mails = _with_unopened(mails, attributes.created, stop, rng)
    machines = _scans(options, kind, mails, attributes.account, rng)
    _add_visits(machines, options, kind, attributes.created, stop=stop, rng=rng)
    size = len(mails.delivered)
    people = _Rows(
        lead=[*lead.tolist(), *mails.sent_to.tolist()],
        seconds=[*occurred.tolist(), *mails.delivered.tolist()],
        kind=[*kind.tolist(), *[DELIVERED] * size],
        mail=[*mail.tolist(), *range(size)],
        agent=[*_agents(lead, kind, rng), *[None] * size],
        by_machine=[False] * (len(lead) + size),
    )
    lag = np.concatenate([told[1] - told[0], np.zeros(size + len(machines.lead), dtype=np.int64)])
    channels = [*table["channel"].to_pylist(), *["email"] * size]
    channels += ["website" if name == VISIT else "email" for name in machines.kind]
    return _joined([people, machines], lag, channels, stop=stop, first=first)


def _mails_of_people(
    lead: Integers, occurred: Integers, kind: NDArray[np.object_], born: Integers, rng: Generator
) -> tuple[Integers, _Mails]:
    """Return the mail of each act (-1 for none), and the mails."""
    mail = np.full(len(lead), -1, dtype=np.int64)
    delivered: list[int] = []
    sent_to: list[int] = []
    last: dict[int, tuple[int, int]] = {}
    wait = np.minimum(OPEN_MEDIAN * np.exp(OPEN_SPREAD * rng.standard_normal(len(lead))), LONGEST_WAIT)
    for row in np.lexsort((kind == CLICK, occurred, lead)).tolist():
        if kind[row] not in {OPEN, CLICK}:
            continue
        who, now = int(lead[row]), int(occurred[row])
        number, opened = last.get(who, (-1, -LONGEST_WAIT))
        if kind[row] == CLICK and number >= 0 and now - opened < LONGEST_WAIT:
            mail[row] = number
            last.pop(who)
            continue
        mail[row] = len(delivered)
        delivered.append(max(now - max(round(wait[row]), 1), int(born[who])))
        sent_to.append(who)
        if kind[row] == OPEN:
            last[who] = (int(mail[row]), now)
    return mail, _Mails(np.array(delivered, dtype=np.int64), np.array(sent_to, dtype=np.int64))


def _clicks_soon_after(
    occurred: Integers, kind: NDArray[np.object_], mail: Integers, stop: int, rng: Generator
) -> Integers:
    """Return the instants of acts, where half of the clicks in an opened mail come soon after it was opened."""
    moved = occurred.copy()
    opened = {int(number): int(at) for number, at, name in zip(mail, occurred, kind, strict=True) if name == OPEN}
    soon = CLICK_MEDIAN * np.exp(CLICK_SPREAD * rng.standard_normal(len(mail)))
    is_soon = rng.random(len(mail)) < 0.5  # noqa: PLR2004 - a half
    for row in np.flatnonzero(kind == CLICK).tolist():
        at = opened.get(int(mail[row]))
        if at is not None and is_soon[row]:
            moved[row] = min(at + max(round(soon[row]), 1), stop - 1)
    return moved


def _with_unopened(mails: _Mails, born: Integers, stop: int, rng: Generator) -> _Mails:
    """Return the mails with others that nobody opens."""
    extra = round(UNOPENED * len(mails.delivered))
    others = rng.integers(0, len(born), extra)
    delivered = born[others] + (rng.random(extra) * (stop - born[others])).astype(np.int64)
    return _Mails(np.concatenate([mails.delivered, delivered]), np.concatenate([mails.sent_to, others]))


def _agents(lead: Integers, kind: NDArray[np.object_], rng: Generator) -> list[str | None]:
    """Return the agent of each act of people: each has one program, which is not told now and then."""
    client, is_told = rng.integers(0, len(CLIENTS), int(lead.max(initial=0)) + 1), rng.random(len(lead)) >= NO_AGENT
    has_agent = np.isin(kind, [OPEN, CLICK, VISIT]) & is_told
    return [CLIENTS[client[who]] if has else None for who, has in zip(lead, has_agent, strict=True)]


def _scans(options: MailOptions, kind: NDArray[np.object_], mails: _Mails, accounts: Integers, rng: Generator) -> _Rows:
    """Return the acts of mail scanners: a share of all opens and clicks, on mails of accounts that scan them."""
    people = int(np.isin(kind, [OPEN, CLICK]).sum())
    wanted = round(options.scanners / (1 - options.scanners) * people)
    scanned_accounts = np.flatnonzero(rng.random(int(accounts.max(initial=0)) + 1) < SCANNED_ACCOUNTS)
    scanned = np.flatnonzero(np.isin(accounts[mails.sent_to], scanned_accounts))
    rows = _Rows()
    while len(rows.lead) < wanted and len(scanned):
        for number in rng.permutation(scanned).tolist():
            names = [OPEN] * int(rng.random() < OPENS_TOO) + [CLICK] * int(1 + rng.poisson(LINKS))
            wait, agent = _scanner(rng)
            steps = wait + np.cumsum(rng.exponential(BETWEEN_LINKS, len(names)))
            seconds = (mails.delivered[number] + steps).astype(np.int64).tolist()
            rows.add(int(mails.sent_to[number]), seconds, names, number, agent)
            if len(rows.lead) >= wanted:
                break
    return rows


def _scanner(rng: Generator) -> tuple[float, str | None]:
    """Return how many seconds after the delivery a scanner acts, and its agent."""
    if rng.random() < SILENT:
        slow = SILENT_MEDIAN * np.exp(SILENT_SPREAD * rng.standard_normal())
        return max(float(slow), SILENT_LEAST), None
    fast = float(FAST_MEDIAN * np.exp(FAST_SPREAD * rng.standard_normal()))
    return (-fast if rng.random() < BEFORE_DELIVERY else fast), SCANNERS[int(rng.integers(len(SCANNERS)))]


def _add_visits(
    rows: _Rows, options: MailOptions, kind: NDArray[np.object_], born: Integers, *, stop: int, rng: Generator
) -> None:
    """Add the page visits of bots: a share of all, in runs of hours without a pause, by the agents of browsers."""
    wanted = len(rows.lead) + round(options.bots / (1 - options.bots) * int((kind == VISIT).sum()))
    while len(rows.lead) < wanted:
        who, span = int(rng.integers(len(born))), rng.uniform(*RUN_HOURS) * 3600
        steps = np.cumsum(rng.uniform(*VISIT_SECONDS, round(span / VISIT_SECONDS[0])))
        steps = steps[steps < span]
        start = born[who] + rng.random() * max(stop - born[who] - span, 0)
        agent = CLIENTS[int(rng.integers(len(CLIENTS)))]
        rows.add(who, (start + steps).astype(np.int64).tolist(), [VISIT] * len(steps), -1, agent)


def _joined(
    parts: Sequence[_Rows], lag: Integers, channels: Sequence[str], *, stop: int, first: int
) -> tuple[pa.Table, pa.Table]:
    """Return all rows in the order of leads and instants, and those of machines."""
    lead, seconds, mail = (
        np.array([value for part in parts for value in getattr(part, name)], dtype=np.int64)
        for name in ("lead", "seconds", "mail")
    )
    kinds = np.array([name for part in parts for name in part.kind])
    order = np.lexsort((mail, kinds, seconds, lead))
    order = order[seconds[order] + lag[order] < stop]
    numbers = mail[order].tolist()
    agents = [agent for part in parts for agent in part.agent]
    joined = pa.table(
        {
            "lead_id": lead_ids(first, int(lead.max(initial=0)) + 1).take(pa.array(lead[order])),
            "occurred_at": instants(seconds[order]),
            "recorded_at": instants((seconds + lag)[order]),
            "kind": pa.array(kinds[order].tolist(), pa.string()),
            "channel": pa.array(channels, pa.string()).take(pa.array(order)),
            "message_id": pa.array([f"M{first:08d}-{number:07d}" if number >= 0 else None for number in numbers]),
            "agent": pa.array(agents, pa.string()).take(pa.array(order)),
        }
    )
    by_machine = np.array([each for part in parts for each in part.by_machine], dtype=bool)[order]
    return joined, joined.filter(pa.array(by_machine)).select(["lead_id", "occurred_at", "kind", "message_id"])
