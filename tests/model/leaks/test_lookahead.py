from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks import find_leaks
from leadml.model.leaks.lookahead import suspect_lookahead
from leadml.model.leaks.outcome import Outcome

COUNT = "visit_30d"


def looks(seed=0, size=3000, rate=0.2):
    """Return looks at leads whose habits last, the counts begun at the look, and what became of the leads."""
    random = np.random.default_rng(seed)
    label = (random.random(size) < rate).astype(np.int8)
    habit = random.gamma(1.0, 2.0, size) * (1 + 2 * label)
    before, after = (random.poisson(habit).astype(float) for _ in range(2))
    ids = np.array([f"L{at:05d}" for at in range(size)], dtype=object)
    frame = pd.DataFrame({"lead_id": ids, "as_of": 1_750_000_000_000_000, COUNT: before, "converted": label})
    ahead = frame[["lead_id", "as_of"]].assign(**{COUNT: after})
    return frame.assign(noise=random.normal(size=size), habit=habit), ahead


def judged(frame, ahead, *names, kind="number"):
    """Return names and severities of those that know what came."""
    found = suspect_lookahead(frame, [Field(name, kind, "fit") for name in names], Outcome.of(frame), ahead)
    assert {one.code for one in found} <= {"LK7"}
    return {one.field: one.severity for one in found}


@pytest.mark.parametrize("seed", range(5))
def test_what_was_known_at_the_look_is_no_suspect(seed):
    """Neither the count before the look, nor noise, nor a day's or a week's part of the habit."""
    frame, ahead = looks(seed)
    part = np.random.default_rng(seed).binomial(frame[COUNT].astype(int), 0.3)

    assert judged(frame.assign(part=part), ahead, COUNT, "noise", "part") == {}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("past", [0, 1, 2])
def test_a_count_that_goes_on_after_the_look_is_stopped(seed, past):
    """However often the past is counted in it, and whatever else is in it."""
    frame, ahead = looks(seed)
    whole = past * frame[COUNT] + ahead[COUNT] + np.random.default_rng(seed).poisson(0.1, len(frame))

    assert judged(frame.assign(whole=whole), ahead, "noise", "whole", COUNT) == {"whole": "stop"}


def test_a_count_of_what_comes_is_known_among_converters_alone():
    """Where only converters act after the look, as buyers who buy, they are judged by themselves."""
    frame, ahead = looks()
    after = np.where(frame["converted"] == 1, 1 + ahead[COUNT], 0.0)
    ahead, whole = ahead.assign(**{COUNT: after}), frame[COUNT] + after

    assert judged(frame.assign(whole=whole), ahead, "whole") == {"whole": "stop"}
    assert judged(frame.assign(whole=whole)[frame["converted"] == 0], ahead, "whole") == {}


def test_the_outcome_itself_is_no_knowledge_of_what_was_done():
    """A field that knows the outcome perfectly, which makes leads active, is the affair of other rules."""
    frame, ahead = looks()
    ahead = ahead.assign(**{COUNT: ahead[COUNT] * (1 + 5 * frame["converted"])})

    assert judged(frame.assign(copy=frame["converted"] * 1.0), ahead, "copy") == {}


@pytest.mark.parametrize("scale", [1.0, 5.0, 50.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_habit_that_is_known_exactly_is_warned_of_at_most(seed, scale):
    """The count before the look is as good a witness of it as the count after, which leaves it half of the rest."""
    random = np.random.default_rng(seed)
    frame, ahead = looks(seed)
    before, after = (random.poisson(scale * frame["habit"]).astype(float) for _ in range(2))

    assert "stop" not in judged(frame.assign(**{COUNT: before}), ahead.assign(**{COUNT: after}), "habit").values()


def test_looks_that_are_missing_are_not_judged():
    """Half of the looks are enough, few are not; nor are numbers enough that are none."""
    frame, ahead = looks()
    frame["whole"] = frame[COUNT] + ahead[COUNT]

    assert judged(frame, ahead.iloc[::2], "whole") == {"whole": "stop"}
    assert judged(frame, ahead.head(40), "whole") == {}
    assert judged(frame, ahead, "whole", kind="category") == {}
    assert judged(frame, ahead.assign(**{COUNT: 0.0}), "whole") == {}


def test_a_field_that_is_half_blank_is_judged_where_it_is_filled():
    """Blanks are the mean, which hides nothing of this size."""
    frame, ahead = looks()
    whole = np.where(np.arange(len(frame)) % 10 == 0, np.nan, frame[COUNT] + ahead[COUNT])

    assert judged(frame.assign(whole=whole), ahead, "whole") == {"whole": "stop"}


def test_the_order_of_the_looks_is_nothing():
    """The table and the leads may be in any order."""
    frame, ahead = looks()
    frame = frame.assign(whole=frame[COUNT] + ahead[COUNT])
    fields = [Field("whole", "number", "fit")]
    shuffled = ahead.sample(frac=1, random_state=1)

    assert suspect_lookahead(frame, fields, Outcome.of(frame), ahead) == suspect_lookahead(
        frame, fields, Outcome.of(frame), shuffled
    )


def test_the_gate_names_the_count_and_says_what_to_do(quick_params):
    """The evidence is in the words of the finding; without an instant of the look the table says nothing."""
    frame, ahead = looks()
    frame = frame.assign(whole=frame[COUNT] + ahead[COUNT])
    fields = [Field("whole", "number", "engagement", "activity", "visit"), Field("noise", "number", "fit")]
    evidence = LeakEvidence(ahead=ahead)
    found = [one for one in find_leaks(frame, fields, quick_params, evidence=evidence) if one.code == "LK7"]
    blind = find_leaks(frame.drop(columns="as_of"), fields, quick_params, evidence=evidence)

    assert [(one.severity, one.field) for one in found] == [("stop", "whole")]
    assert "its correlation with visit_30d counted from the look onwards is 0.9" in found[0].evidence
    assert "leave out the activities that it counts" in found[0].remedy
    assert [one.severity for one in blind if one.code == "LK7"] == ["not applicable"]
