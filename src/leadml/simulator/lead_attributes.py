"""Sample when leads are created, their attributes, their initial interest and their answers.

The truth needs the same distribution of initial interest given the attributes, so it is computed here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadml.simulator import market
from leadml.simulator.categorical import sample_categories
from leadml.simulator.world import FIT_LEVELS, FIT_STEP, SPAM

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from leadml.simulator.world import World

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

START = np.datetime64("2024-01-01", "D")
SECONDS_PER_DAY = 86_400  # 24 * 60 * 60
FIRST_HOUR, HOURS = 6, 14  # from 06:00 to 20:00, where outcomes begin (TRANSITION_HOUR)


@dataclass(frozen=True)
class Accounts:
    """The accounts of a chunk of leads; all but ``employees`` are positions in the lists of `market`."""

    industry: Integers
    employees: Integers
    country: Integers
    technology: Integers

    @property
    def size(self) -> Integers:
        """Return the size class of each account, 0 for the smallest."""
        return np.searchsorted(market.SIZE_EDGES, self.employees, side="right")


@dataclass(frozen=True)
class LeadAttributes:
    """The attributes of a chunk of leads, sorted by the second of creation.

    Parameters
    ----------
    created
        Seconds from the start of the simulation to the creation.
    account
        Position in ``accounts``.
    accounts
        The accounts.
    source, rank, department
        Positions in the lists of `market`.
    free_mail
        Position in ``FREE_MAIL``, -1 for an address at the domain of the account.
    fit_level
        Level of fit, from 0 to ``FIT_LEVELS`` - 1.
    interest_prior
        Shape (leads, interests): probabilities of the initial interest, given all attributes but the answers.
    interest
        The initial interest, which is in no table.
    answers
        Shape (leads, questions): 0 for a blank, else 1 + the position of the answer.
    """

    created: Integers
    account: Integers
    accounts: Accounts
    source: Integers
    rank: Integers
    department: Integers
    free_mail: Integers
    fit_level: Integers
    interest_prior: Floats
    interest: Integers
    answers: Integers

    @property
    def created_day(self) -> Integers:
        """Return the day on which each lead is created."""
        return self.created // SECONDS_PER_DAY

    @property
    def answer_groups(self) -> list[Integers]:
        """Return the answer group of each lead, one array per question."""
        one_group = np.zeros_like(self.rank)
        size, authority = self.accounts.size[self.account], np.array(market.AUTHORITY_GROUP)[self.rank]
        return [size, authority, one_group, one_group, one_group]

    def answer_log_likelihood(self) -> Floats:
        """Return the log-likelihood of the answers at creation given each interest, shape (leads, interests)."""
        columns = zip(market.QUESTIONS, self.answer_groups, self.answers.T, strict=True)
        terms = [np.log(question.probabilities())[group, :, answer] for question, group, answer in columns]
        return np.asarray(np.sum(terms, axis=0))


def sample_leads(world: World, leads: int, rng: Generator) -> LeadAttributes:
    """Return the attributes of a chunk of leads, sampled at random.

    Parameters
    ----------
    world
        The parameters of the simulation.
    leads
        Number of leads.
    rng
        Source of random numbers.
    """
    created = _sample_created(world, leads, rng)
    day = created // SECONDS_PER_DAY
    accounts = _sample_accounts(max(1, round(leads / market.LEADS_PER_ACCOUNT)), rng)
    account = sample_categories(rng.random(leads), _normalize(np.power(accounts.employees, 0.25)))
    size = accounts.size[account]
    in_campaign = (day >= world.campaign[0]) & (day < world.campaign[1])
    drifted = (day >= world.drift_day) & (world.drift == "mix")
    shares = np.array([market.SOURCE_SHARE, market.CAMPAIGN_SOURCE_SHARE, market.DRIFTED_SOURCE_SHARE])
    source = sample_categories(rng.random(leads), shares[np.where(drifted, 2, in_campaign.astype(np.int64))])
    rank = sample_categories(rng.random(leads), np.array(market.RANK_SHARE)[size])
    department = sample_categories(rng.random(leads), np.array(market.DEPARTMENT_SHARE))
    from_campaign = in_campaign & (source == market.PAID_SEARCH)
    free_mail = _sample_free_mail(from_campaign, rank, size, rng)
    level = fit_level(accounts, account, source=source, rank=rank, department=department, free_mail=free_mail >= 0)
    warmth = np.array(market.RANK_WARMTH)[rank] + np.array(market.DEPARTMENT_WARMTH)[department]
    warmth += np.array(market.MONTH_WARMTH)[_month(day)] + 0.12 * (level - FIT_LEVELS // 2)
    prior = initial_interest_prior(source, warmth, drifted=drifted, maybe_spam=from_campaign & (free_mail >= 0))
    interest = sample_categories(rng.random(leads), prior)
    answers = np.zeros((leads, len(market.QUESTIONS)), dtype=np.int64)
    attributes = LeadAttributes(
        created, account, accounts, source, rank, department, free_mail, level, prior, interest, answers
    )
    for column, (question, group) in enumerate(zip(market.QUESTIONS, attributes.answer_groups, strict=True)):
        answers[:, column] = sample_categories(rng.random(leads), question.probabilities()[group, interest])
    return attributes


def fit_level(
    accounts: Accounts, account: Integers, *, source: Integers, rank: Integers, department: Integers, free_mail: Mask
) -> Integers:
    """Return the level of fit of each lead: the sum of the worths of its attributes, rounded to steps.

    Parameters
    ----------
    accounts
        The accounts of the chunk.
    account, source, rank, department
        Shape (leads,): position in ``accounts`` and in the lists of `market`.
    free_mail
        Shape (leads,): whether the address is at a provider of free mail.

    Returns
    -------
    Integers
        Shape (leads,), from 0 to ``FIT_LEVELS`` - 1.
    """
    industry, size = accounts.industry[account], accounts.size[account]
    fit = np.array(market.INDUSTRY_FIT)[industry] + np.array(market.SIZE_FIT)[size]
    fit += np.array(market.COUNTRY_FIT)[accounts.country[account]] + np.array(market.SOURCE_FIT)[source]
    fit += np.array(market.DEPARTMENT_FIT)[department] * (rank > 0) + np.array(market.RANK_FIT)[size, rank]
    partner_industry = np.isin(np.array(market.INDUSTRIES)[industry], market.PARTNER_INDUSTRIES)
    fit += market.PARTNER_FIT * ((source == market.PARTNER) & partner_industry) + market.FREE_MAIL_FIT * free_mail
    middle = FIT_LEVELS // 2
    steps = np.rint(market.FIT_SCALE * fit / FIT_STEP).astype(np.int64)
    return np.asarray(np.clip(steps, -middle, middle) + middle)


def initial_interest_prior(source: Integers, warmth: Floats, *, drifted: Mask, maybe_spam: Mask) -> Floats:
    """Return the probabilities of the initial interest.

    Parameters
    ----------
    source
        Shape (leads,): position in ``SOURCES``.
    warmth
        Shape (leads,): sum of the effects of rank, department, month and fit; hotter interests are likelier where it is
        higher.
    drifted
        Shape (leads,): whether the mix of sources has drifted when the lead is created.
    maybe_spam
        Shape (leads,): whether the lead is of the campaign's paid search and has free mail; no other lead is spam.

    Returns
    -------
    Floats
        Shape (leads, interests); each row sums to 1.
    """
    tables = np.array([market.INTEREST_BY_SOURCE, market.DRIFTED_INTEREST_BY_SOURCE])
    raised = tables[drifted.astype(np.int64), source] * np.exp(np.outer(warmth, market.INTEREST_TILT))
    prior = raised / raised.sum(axis=1, keepdims=True)
    prior *= 1 - market.SPAM_PRIOR * maybe_spam[:, None]
    prior[:, SPAM] = market.SPAM_PRIOR * maybe_spam
    return np.asarray(prior)


def _sample_created(world: World, leads: int, rng: Generator) -> Integers:
    day = np.arange(world.days)
    weight = 1 + market.YEARLY_INCREASE * day / 365
    weight *= np.array(market.CREATED_BY_WEEKDAY)[day % 7] * np.array(market.CREATED_BY_MONTH)[_month(day)]
    created_day = sample_categories(rng.random(leads), _normalize(weight))
    return np.sort(created_day * SECONDS_PER_DAY + sample_second_of_day(rng, leads))


def sample_second_of_day(rng: Generator, rows: int) -> Integers:
    """Return seconds of the day within working hours, most of them around 1 pm.

    Parameters
    ----------
    rng
        Source of random numbers.
    rows
        How many.
    """
    fraction = rng.random((rows, 2)).mean(axis=1)
    return np.asarray((FIRST_HOUR + HOURS * fraction) * 3600).astype(np.int64)


def _sample_accounts(count: int, rng: Generator) -> Accounts:
    industry = sample_categories(rng.random(count), np.array(market.INDUSTRY_SHARE))
    mean, deviation = np.array(market.LOG_EMPLOYEES).T
    employees = np.exp(mean[industry] + deviation[industry] * rng.standard_normal(count))
    return Accounts(
        industry=industry,
        employees=np.clip(np.rint(employees), 1, 400_000).astype(np.int64),
        country=sample_categories(rng.random(count), np.array(market.COUNTRY_SHARE)),
        technology=sample_categories(rng.random(count), np.array(market.TECHNOLOGY_SHARE)),
    )


def _sample_free_mail(from_campaign: Mask, rank: Integers, size: Integers, rng: Generator) -> Integers:
    share = np.where(rank == 0, market.STUDENT_FREE_MAIL, np.array(market.FREE_MAIL_SHARE)[size])
    share = np.where(from_campaign, np.maximum(share, market.CAMPAIGN_FREE_MAIL), share)
    has_free_mail = rng.random(len(rank)) < share
    provider = sample_categories(rng.random(len(rank)), np.array(market.FREE_MAIL_WEIGHT))
    return np.asarray(np.where(has_free_mail, provider, -1))


def _month(day: Integers) -> Integers:
    """Return the month of the year of each day, 0 for January."""
    months: Integers = (START + day.astype("timedelta64[D]")).astype("datetime64[M]").astype(np.int64)
    return months % len(market.MONTH_WARMTH)


def _normalize(weight: Floats) -> Floats:
    return np.asarray(weight / weight.sum())
