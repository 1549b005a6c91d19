"""The plain stream is what it says: its rate, its drifts, its noise, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from leadml.errors import LeadmlError
from leadml.simulator.stream import ODDS, Stream


def test_the_rate_is_met() -> None:
    """By the true probabilities, and by the outcomes within four standard errors."""
    for rate in (0.055, 0.125, 0.5):
        leads = Stream(rate=rate).before(20_000, seed=4)

        assert leads["probability"].mean() == pytest.approx(rate, rel=0.03)
        assert leads["converted"].mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / 20_000))


def test_the_same_seed_gives_the_same_leads_until_a_drift_begins() -> None:
    """Whatever the drift is; another seed gives others."""
    plain = Stream(leads_a_day=20).days(6, seed=1)
    for drift in ("odds", "mix", "effects"):
        drifting = Stream(leads_a_day=20, drift=drift, drift_day=4).days(6, seed=1)

        assert drifting[drifting["day"] < 4].equals(plain[plain["day"] < 4])
        assert not drifting[drifting["day"] >= 4].equals(plain[plain["day"] >= 4])
    assert not Stream(leads_a_day=20).days(6, seed=2).equals(plain)
    assert plain["lead_id"].is_unique


def test_a_drift_of_odds_multiplies_the_odds_of_every_lead() -> None:
    """And changes no field."""
    plain, odds = (Stream(leads_a_day=50, drift=drift, drift_day=0).days(3, seed=2) for drift in ("none", "odds"))

    assert np.allclose(logit(odds["probability"]) - logit(plain["probability"]), np.log(ODDS))
    assert odds[Stream().names].equals(plain[Stream().names])


def test_a_drift_of_the_mix_moves_half_of_the_leads_and_no_effect() -> None:
    """A lead with the same fields converts as before."""
    stream = Stream(leads_a_day=500, drift="mix", drift_day=0)
    plain, mix = Stream(leads_a_day=500).days(4, seed=2), stream.days(4, seed=2)
    moved = (mix[stream.names] - plain[stream.names]).to_numpy().round(9)

    assert np.isin(moved, [0.0, 0.5]).all()
    assert (moved.min(axis=1) == moved.max(axis=1)).all()
    assert (moved[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.05)
    still = moved[:, 0] == 0
    assert np.allclose(mix["probability"][still], plain["probability"][still])


def test_a_drift_of_effects_halves_the_two_strongest() -> None:
    """Against the log-odds of the same leads, the difference is half of what both contributed."""
    stream = Stream(leads_a_day=50, drift="effects", drift_day=0)
    plain, weak = Stream(leads_a_day=50).days(2, seed=2), stream.days(2, seed=2)
    strongest = plain[stream.names[:2]].to_numpy() @ stream.effects[:2]

    assert np.allclose(logit(plain["probability"]) - logit(weak["probability"]), strongest / 2)
    assert np.abs(stream.effects[:2]).min() > np.abs(stream.effects[2:]).max()


def test_noise_moves_all_leads_of_a_day_alike() -> None:
    """By another amount each day, whose standard deviation is as asked for."""
    noisy, plain = (Stream(leads_a_day=3, level_noise=noise).days(400, seed=5) for noise in (0.1, 0.0))
    shift = (logit(noisy["probability"]) - logit(plain["probability"])).groupby(plain["day"])

    assert shift.std().max() < 1e-9
    assert shift.mean().std() == pytest.approx(0.1, rel=0.15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drift": "odd"}, "drift must be one of none, odds, mix, effects, got 'odd'; the nearest is 'odds'"),
        ({"rate": 1.0}, "rate must be above 0 and below 1, got 1.0"),
        ({"level_noise": -0.1}, "level_noise must be a number from 0, got -0.1"),
        ({"fields": 1}, "fields must be a whole number, from 2 to 100, got 1"),
        ({"leads_a_day": 0}, "leads_a_day must be a whole number, from 1 to"),
        ({"drift_day": -1}, "drift_day must be a whole number, from 0 to"),
    ],
)
def test_what_no_stream_can_be_is_refused(options: dict[str, object], message: str) -> None:
    """With the value and the range."""
    with pytest.raises(LeadmlError, match=message):
        Stream(**options)


@pytest.mark.parametrize(
    ("number", "seed", "message"),
    [
        (0, 1, "leads must be a whole number, from 1 to 20,000,000, got 0"),
        (5, -1, "seed must be a whole number, 0 or more, got -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(number: int, seed: int, message: str) -> None:
    """Of the time before and of the days."""
    with pytest.raises(LeadmlError, match=message):
        Stream().before(number, seed=seed)
    with pytest.raises(LeadmlError, match=message.replace("leads", "days").replace("20,000,000", "3,660")):
        Stream().days(number, seed=seed)
