"""The candidate cuts: how many leads each would let in, and how certain their precision and recall are.

Snapshots of one account are not independent of each other, so each count is also given as an effective sample size:
the number of independent leads that would be as informative. The module chooses no cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from leadml.model.metrics import rate_bound
from leadml.params.cut_rule import MIN_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadml.types import Floats, Labels, Rows


TERMS = 3  # of the series of 1 / (1 - size / count) ** 2: it compares an account with the rate of the others
PRIOR_ACCOUNTS = 4.0  # decision 8 says what 0 and 16 do
# 4,000 walks tell the quantile to 0.02 standard errors. 16 points give 0.15 less, 512 give 0.1 more and take eight
# times as long; with 64 tests/stages/test_cuts.py finds the promise kept.
WALKS, WALK_POINTS = 4000, 64
QUANTILE_LEVEL = 0.95  # at which Student's quantile is compared with the normal one


@dataclass(frozen=True)
class Candidates:
    """The candidate cuts as rules see them; see `leadml.params.cut_rule.Candidates`.

    Parameters
    ----------
    table
        The table of `candidate_table`.
    probability
        The probability of each row, shape (n_rows,).
    columns
        Other numbers of each row, by name.
    """

    table: pd.DataFrame
    probability: Floats
    columns: Mapping[str, Floats]

    @classmethod
    def of(
        cls, probability: Floats, label: Labels, *, groups: NDArray[Any] | None, columns: Mapping[str, Floats]
    ) -> Self:
        """Return the candidates of some rows."""
        return cls(candidate_table(probability, label, groups=groups), probability, columns)

    @classmethod
    def stored(cls, table: pd.DataFrame) -> Self:
        """Return the candidates of a stored table, which no longer has the rows themselves."""
        return cls(table, np.empty(0), {})

    @property
    def units(self) -> float:
        """How many leads or accounts of one size the rows are worth."""
        return float(self.table["accounts"].iloc[0])

    @property
    def cut(self) -> Floats:
        """The candidates, rising."""
        return self.table["cut"].to_numpy()

    @property
    def leads(self) -> Floats:
        """How many rows each candidate lets in."""
        return self.table["leads"].to_numpy()

    @property
    def share(self) -> Floats:
        """Which share of the rows each candidate lets in."""
        return self.table["share"].to_numpy()

    @property
    def conversions(self) -> Floats:
        """How many of these rows converted."""
        return self.table["conversions"].to_numpy()

    def precision_bound(self, confidence: float) -> Floats:
        """Return the lower bound of the precision, whichever cut is chosen; 0 where fewer than 20 accounts are in."""
        leads = self.table["independent_leads"].to_numpy()
        z = quantile_of_maximum(confidence, min_leads=MIN_ACCOUNTS, max_leads=int(leads.max()))
        bound = rate_bound(self.table["precision"].to_numpy() * leads, leads, z=z)
        return np.where(self.table["accounts"].to_numpy() >= MIN_ACCOUNTS, bound, 0.0)

    def recall_bound(self, confidence: float) -> Floats:
        """Return the lower bound of the recall."""
        converters = self.table["independent_conversions"].to_numpy()
        return rate_bound(self.table["recall"].to_numpy() * converters, converters, z=float(ndtri(confidence)))

    def column(self, name: str) -> Floats:
        """Return another number of each row."""
        return self.columns[name]

    def total(self, values: Floats) -> Floats:
        """Return the sum of a number of each row over the rows that each candidate lets in."""
        order = np.argsort(-self.probability, kind="stable")
        return np.asarray(np.cumsum(values[order])[self.leads.astype(np.intp) - 1])


def quantile_of_maximum(confidence: float, *, min_leads: int, max_leads: int) -> float:
    """Return how many standard errors a rate must exceed its floor by, when the best of all cuts is chosen.

    Choosing the best of many cuts makes its rate look too good. The leads above a cut are also above every lower cut,
    so the standardised rates of all cuts behave like a random walk divided by its own standard deviation. The result
    is a quantile, by simulation, of the maximum of such a walk between ``min_leads`` and ``max_leads`` leads. With it
    the floor holds with the given confidence, whichever cut is chosen.

    Parameters
    ----------
    confidence
        Probability that the floor holds, in (0, 1).
    min_leads, max_leads
        The smallest and the largest number of leads above a cut.

    Examples
    --------
    >>> ndtri(0.9) < quantile_of_maximum(0.9, min_leads=20, max_leads=2000) < 3.5
    True
    """
    steps = np.diff(np.geomspace(max(min_leads, 1), max(max_leads, min_leads + 1), WALK_POINTS), prepend=0.0)
    random = np.random.default_rng(0)
    walk = np.cumsum(random.standard_normal((WALKS, WALK_POINTS)) * np.sqrt(steps), axis=1)
    return float(np.quantile((walk / np.sqrt(np.cumsum(steps))).max(axis=1), confidence))


def candidate_table(probability: Floats, label: Labels, *, groups: NDArray[Any] | None = None) -> pd.DataFrame:
    """Return what each candidate cut would let in, lowest cut first.

    Columns: ``cut``, ``leads``, ``share`` of all leads, ``conversions``, ``precision`` and ``recall``; ``accounts``,
    the effective number of accounts (as many accounts of equal size would give the same sum of squared sizes);
    ``independent_rows``, ``independent_leads`` and ``independent_conversions``, the effective sample sizes of share,
    precision and recall. The candidates are all distinct probabilities.

    Parameters
    ----------
    probability, label
        Arrays of shape (n_leads,).
    groups
        Array of shape (n_leads,): the lead or account of each row, if one has several rows. None means that all rows
        are independent.

    Notes
    -----
    The effective sample size of the share is the variance of the share of independent rows over that of a ratio of sums
    over accounts (Cochran, *Sampling Techniques*, 3rd edition, section 6.4). Other effective sample sizes are those of
    Korn and Graubard, "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", Survey Methodology 24 (1998): the count divided by the
    design effect, which is the variance of the rate between accounts over the variance of a rate of independent leads,
    with Student's quantile in place of the normal one because accounts are few. Three corrections are made for few
    accounts and for accounts of different sizes. The rate of an account is compared with the rate of the other
    accounts. The design effect is at least 1. And it is a weighted mean of the estimated design effect and of the
    design effect of accounts with one outcome each (Kish, *Survey Sampling*, 1965); the weights are the number of
    accounts that show both outcomes, and four accounts.
    """
    order = np.argsort(-probability, kind="stable")
    ranked, conversions = probability[order], np.cumsum(label[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    leads = last + 1
    table = pd.DataFrame(
        {"cut": ranked[last], "leads": leads, "share": leads / len(label), "conversions": conversions[last]}
    )
    table["precision"] = table["conversions"] / table["leads"]
    converters = max(int(label.sum()), 1)
    table["recall"] = table["conversions"] / converters
    if groups is None:
        table["accounts"], table["independent_leads"] = leads.astype(float), leads.astype(float)
        table["independent_conversions"] = float(converters)
        table["independent_rows"] = float(len(label))
    else:
        table = table.assign(**_effective_counts(label[order], pd.factorize(groups[order])[0], last))
    return table.iloc[::-1].reset_index(drop=True)


def _effective_counts(label: Labels, account_code: Rows, last: Rows) -> dict[str, Floats]:
    """Return the effective counts at each candidate.

    Each sum over accounts is a cumulative sum over rows, highest probability first: a row adds the difference that it
    makes to its account's term.

    Parameters
    ----------
    label, account_code
        Outcome and number of the account of each row, highest probability first, shape (n_leads,).
    last
        Position of the last row at or above each candidate.
    """
    rows = pd.DataFrame({"account": account_code, "label": label.astype(np.float64)})
    by_account, outcome = rows.groupby("account", sort=False), rows["label"].to_numpy()
    total = by_account["label"].transform("sum").to_numpy()  # conversions of the account among all rows
    size = by_account.cumcount().to_numpy().astype(np.float64)  # rows of the account before this one
    won = by_account["label"].cumsum().to_numpy() - outcome  # conversions of the account before this row

    def sum_by_size(won_power: int, size_power: int) -> Floats:
        step = (won + outcome) ** won_power * (size + 1) ** size_power - won**won_power * size**size_power
        return np.asarray(np.cumsum(step)[last])

    def sum_by_total(won_power: int, total_power: int) -> Floats:
        return np.asarray(np.cumsum(((won + outcome) ** won_power - won**won_power) * total**total_power)[last])

    leads, converters = (last + 1).astype(np.float64), max(float(outcome.sum()), 1.0)
    with_conversion, with_failure = (
        np.cumsum((before == 0) & (current == 1))[last]
        for before, current in ((won, outcome), (size - won, 1 - outcome))
    )
    fully_reached = np.cumsum((won + outcome == total) & (outcome == 1))[last]
    totals = by_account["label"].sum().to_numpy()
    not_fully_reached = (totals > 0).sum() - fully_reached
    counts = [
        (leads, sum_by_size(1, 0) / leads, np.minimum(with_conversion, with_failure),
         [(sum_by_size(2, power), sum_by_size(1, power + 1), sum_by_size(0, power + 2)) for power in range(TERMS)]),
        (np.full(len(last), converters), sum_by_size(1, 0) / converters, np.minimum(with_conversion, not_fully_reached),
         [(sum_by_total(2, power), sum_by_total(1, power + 1), (totals ** (power + 2)).sum())
          for power in range(TERMS)]),
    ]  # fmt: skip
    names = ("independent_leads", "independent_conversions")
    columns = {name: _effective_sample_size(*count) for name, count in zip(names, counts, strict=True)}
    sizes = by_account["label"].transform("size").to_numpy().astype(np.float64)  # rows of the account
    sums = [tuple(np.cumsum(step * sizes**power)[last] for step in (2 * size + 1, sizes)) for power in range(TERMS)]
    columns["independent_rows"] = _independent_rows(leads, sums, np.bincount(account_code).astype(np.float64))
    return {"accounts": leads**2 / sum_by_size(0, 2)} | columns


def _independent_rows(leads: Floats, sums: Sequence[tuple[Floats, ...]], sizes: Floats) -> Floats:
    """Return the number of independent rows that tell the share let in as well as all rows do.

    Parameters
    ----------
    leads
        Rows that each candidate lets in.
    sums
        For each power of an account's size: the sums over accounts of the squared number of rows let in, and of this
        number times the size, each times that power.
    sizes
        Rows of each account.

    Notes
    -----
    Both variances are those of the jackknife, as the plain variance of a ratio is too small where accounts are few or
    of different sizes (Wolter, *Introduction to Variance Estimation*, 2nd edition, 2007). Student's quantile
    for accounts of one size takes the place of that for rows (Korn and Graubard; see `candidate_table`).
    """
    rows, accounts = float(sizes.sum()), len(sizes)
    share = leads / rows
    terms = [
        within - 2 * share * crossed + share**2 * float((sizes ** (power + 2)).sum())
        for power, (within, crossed) in enumerate(sums)
    ]
    squares = sum((power + 1) * np.maximum(term, 0.0) / rows**power for power, term in enumerate(terms))
    of_rows = share * (1 - share) * rows**2 * sum((power + 1) / rows**power for power in range(TERMS))
    found = np.divide(of_rows, squares, out=np.full(len(leads), float(accounts)), where=squares > 0)
    freedom = [max(units - 1, 1.0) for units in (rows, rows**2 / float((sizes**2).sum()))]
    student = stdtrit(freedom, QUANTILE_LEVEL)
    return np.asarray(np.minimum(found, rows) * (student[0] / student[1]) ** 2)


def _effective_sample_size(
    count: Floats, rate: Floats, mixed_accounts: Floats, sums: Sequence[tuple[Any, Any, Any]]
) -> Floats:
    """Return the number of independent leads that a count is worth.

    Parameters
    ----------
    count, rate
        Number of rows, and the share of them that converted or was reached.
    mixed_accounts
        Number of accounts that show both outcomes: the smaller of the numbers that show one and the other.
    sums
        For each power of an account's size: the sums over accounts of squared successes, of successes times size, and
        of squared size, each times that power.
    """
    terms = [squares - 2 * rate * crosses + rate**2 * sizes for squares, crosses, sizes in sums]
    between_variance = sum((power + 1) * term / count**power for power, term in enumerate(terms))
    binomial_variance = rate * (1 - rate) * count
    estimate = np.divide(between_variance, binomial_variance, out=np.ones(len(count)), where=binomial_variance > 0)
    kish_effect = np.maximum(sums[0][2], 1.0) / count  # of accounts with one outcome each
    weighted = (mixed_accounts * estimate + PRIOR_ACCOUNTS * kish_effect) / (mixed_accounts + PRIOR_ACCOUNTS)
    design_effect = np.maximum(weighted, 1.0)
    freedom = np.maximum(count / kish_effect - 1, 1.0)
    return np.asarray(count / design_effect * (ndtri(QUANTILE_LEVEL) / stdtrit(freedom, QUANTILE_LEVEL)) ** 2)
