"""Draw the leads of a chunk: when they come, who they are, how interested they are at first, what they answer.

What enters is a `World`, a number of leads and a generator; what leaves is `People`, sorted by the time they come.
It refuses nothing, and what an attribute says of interest is computed here for the truth too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.simulate import market
from leadml.simulate.draw import pick
from leadml.simulate.world import FIT_LEVELS, FIT_STEP, SPAM

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from leadml.simulate.world import World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

START = np.datetime64("2024-01-01", "D")
SECONDS_A_DAY = 86_400
FIRST_HOUR, HOURS = 6, 14


@dataclass(frozen=True)
class Firms:
    """The accounts of a chunk; columns hold positions in the tables of `market`."""

    industry: Integers
    employees: Integers
    country: Integers
    technology: Integers

    @property
    def size(self) -> Integers:
        """Return the band of each firm's size."""
        return np.searchsorted(market.SIZE_EDGES, self.employees, side="right")


@dataclass(frozen=True)
class People:
    """The leads of a chunk, sorted by the second at which they come.

    Parameters
    ----------
    created
        Seconds since the start of the simulation.
    firm
        Position in ``firms``.
    firms
        The accounts.
    source, rank, department
        Positions in the tables of `market`.
    free_mail
        Position in ``FREE_MAIL``, -1 for an address at the firm.
    level
        Level of fit.
    prior
        Shape (n, interests): chances of the first interest, given all attributes but the answers.
    interest
        The first interest, which nobody sees.
    answers
        Shape (n, questions): 0 for a blank, else 1 + the position of the answer.
    """

    created: Integers
    firm: Integers
    firms: Firms
    source: Integers
    rank: Integers
    department: Integers
    free_mail: Integers
    level: Integers
    prior: Floats
    interest: Integers
    answers: Integers

    @property
    def created_day(self) -> Integers:
        """Return the day on which each lead comes."""
        return self.created // SECONDS_A_DAY

    @property
    def groups(self) -> list[Integers]:
        """Return to which group of leads each lead belongs, one array a question."""
        alone = np.zeros_like(self.rank)
        return [self.firms.size[self.firm], np.array(market.SENIOR)[self.rank], alone, alone, alone]

    def evidence(self) -> Floats:
        """Return the log-likelihood of the answers at creation, shape (n, interests)."""
        asked = zip(market.QUESTIONS, self.groups, self.answers.T, strict=True)
        said = [np.log(question.chances())[group, :, answer] for question, group, answer in asked]
        return np.asarray(np.sum(said, axis=0))


def draw_people(world: World, leads: int, rng: Generator) -> People:
    """Return the leads of a chunk."""
    created = _created(world, leads, rng)
    day = created // SECONDS_A_DAY
    firms = _firms(max(1, round(leads / market.LEADS_PER_FIRM)), rng)
    firm = pick(rng.random(leads), _shares(np.power(firms.employees, 0.25)))
    size = firms.size[firm]
    campaign = (day >= world.campaign[0]) & (day < world.campaign[1])
    drifted = (day >= world.drift_day) & (world.drift == "mix")
    shares = np.array([market.SOURCE_SHARE, market.CAMPAIGN_SOURCE_SHARE, market.DRIFTED_SOURCE_SHARE])
    source = pick(rng.random(leads), shares[np.where(drifted, 2, campaign.astype(np.int64))])
    rank = pick(rng.random(leads), np.array(market.RANK_SHARE)[size])
    department = pick(rng.random(leads), np.array(market.DEPARTMENT_SHARE))
    bait = campaign & (source == market.PAID_SEARCH)
    free_mail = _free_mail(bait, rank, size, rng)
    level = fit_level(firms, firm, source=source, rank=rank, department=department, free_mail=free_mail >= 0)
    warmth = np.array(market.RANK_WARMTH)[rank] + np.array(market.DEPARTMENT_WARMTH)[department]
    warmth += np.array(market.MONTH_WARMTH)[_month(day)] + 0.12 * (level - FIT_LEVELS // 2)
    prior = first_interest(source, warmth, drifted=drifted, bait=bait & (free_mail >= 0))
    interest = pick(rng.random(leads), prior)
    blank = np.zeros((leads, len(market.QUESTIONS)), dtype=np.int64)
    people = People(created, firm, firms, source, rank, department, free_mail, level, prior, interest, blank)
    for at, (question, group) in enumerate(zip(market.QUESTIONS, people.groups, strict=True)):
        blank[:, at] = pick(rng.random(leads), question.chances()[group, interest])
    return people


def fit_level(
    firms: Firms, firm: Integers, *, source: Integers, rank: Integers, department: Integers, free_mail: Mask
) -> Integers:
    """Return the level of fit of each lead: what its recorded attributes are worth, in steps."""
    industry, size = firms.industry[firm], firms.size[firm]
    worth = np.array(market.INDUSTRY_FIT)[industry] + np.array(market.SIZE_FIT)[size]
    worth += np.array(market.COUNTRY_FIT)[firms.country[firm]] + np.array(market.SOURCE_FIT)[source]
    worth += np.array(market.DEPARTMENT_FIT)[department] * (rank > 0) + np.array(market.RANK_FIT)[size, rank]
    partners = np.isin(np.array(market.INDUSTRIES)[industry], market.PARTNER_INDUSTRIES)
    worth += market.PARTNER_FIT * ((source == market.PARTNER) & partners) + market.FREE_MAIL_FIT * free_mail
    middle = FIT_LEVELS // 2
    steps = np.rint(market.SPREAD * worth / FIT_STEP).astype(np.int64)
    return np.asarray(np.clip(steps, -middle, middle) + middle)


def first_interest(source: Integers, warmth: Floats, *, drifted: Mask, bait: Mask) -> Floats:
    """Return the chances of the first interest, shape (n, interests)."""
    tables = np.array([market.INTEREST_BY_SOURCE, market.DRIFTED_INTEREST_BY_SOURCE])
    raised = tables[drifted.astype(np.int64), source] * np.exp(np.outer(warmth, market.TILT))
    prior = raised / raised.sum(axis=1, keepdims=True)
    prior *= 1 - market.SPAM_PRIOR * bait[:, None]
    prior[:, SPAM] = market.SPAM_PRIOR * bait
    return np.asarray(prior)


def _created(world: World, leads: int, rng: Generator) -> Integers:
    day = np.arange(world.days)
    weight = 1 + market.GROWTH_A_YEAR * day / 365
    weight *= np.array(market.CREATED_BY_WEEKDAY)[day % 7] * np.array(market.CREATED_BY_MONTH)[_month(day)]
    chosen = pick(rng.random(leads), _shares(weight))
    return np.sort(chosen * SECONDS_A_DAY + second_of_day(rng, leads))


def second_of_day(rng: Generator, rows: int) -> Integers:
    """Return seconds within working hours, most of them about noon."""
    part = rng.random((rows, 2)).mean(axis=1)
    return np.asarray((FIRST_HOUR + HOURS * part) * 3600).astype(np.int64)


def _firms(count: int, rng: Generator) -> Firms:
    industry = pick(rng.random(count), np.array(market.INDUSTRY_SHARE))
    middle, spread = np.array(market.LOG_EMPLOYEES).T
    employees = np.exp(middle[industry] + spread[industry] * rng.standard_normal(count))
    return Firms(
        industry=industry,
        employees=np.clip(np.rint(employees), 1, 400_000).astype(np.int64),
        country=pick(rng.random(count), np.array(market.COUNTRY_SHARE)),
        technology=pick(rng.random(count), np.array(market.TECHNOLOGY_SHARE)),
    )


def _free_mail(bait: Mask, rank: Integers, size: Integers, rng: Generator) -> Integers:
    share = np.where(rank == 0, market.STUDENT_FREE_MAIL, np.array(market.FREE_MAIL_SHARE)[size])
    share = np.where(bait, np.maximum(share, market.CAMPAIGN_FREE_MAIL), share)
    uses = rng.random(len(rank)) < share
    provider = pick(rng.random(len(rank)), np.array(market.FREE_MAIL_WEIGHT))
    return np.asarray(np.where(uses, provider, -1))


def _month(day: Integers) -> Integers:
    """Return the month of the year of a day, 0 for January."""
    months: Integers = (START + day).astype("datetime64[M]").astype(np.int64)
    return months % len(market.MONTH_WARMTH)


def _shares(weight: Floats) -> Floats:
    return np.asarray(weight / weight.sum())
