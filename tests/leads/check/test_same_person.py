"""Leads are one person by e-mail address, or by telephone number and name, and groups join over people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.same_person import join_groups, same_people

ADA = ("ada@firm.org", "+49 30 1234567", "Ada Lovelace")


def _people(*rows: tuple[str | None, str | None, str | None]) -> dict[str, str]:
    """Return the person of each of some rows, whose ids are 0, 1, 2 and so on."""
    columns = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    ids = np.array([str(at) for at in range(len(rows))], dtype=object)
    return same_people(ids, *columns).to_dict()


@pytest.mark.parametrize(
    "other",
    [
        (" ADA@Firm.ORG ", None, None),
        ("ada+news@firm.org", None, "A. Lovelace"),
        ("ada@firm.org", None, "Lovelace-King, Ada"),
        (None, "030/123 45 67", "LOVELACE, Ada"),
        ("other@x.org", "0049301234567", "Áda Lovelace"),
        (None, "+49 30 1234567 ext. 12", "Ada Lovelace"),
    ],
)
def test_one_person_is_found(other: tuple[str | None, str | None, str | None]) -> None:
    """Case, spaces, plus tags, prefixes of the country, accents and the order of a name do not matter."""
    assert _people(ADA, other) == {"0": "0", "1": "0"}


@pytest.mark.parametrize(
    "other",
    [
        (None, None, "Ada Lovelace"),
        (None, "+49 30 1234567", None),
        (None, "+49 30 1234567", "Charles Babbage"),
        (None, "+49 30 1234568", "Ada Lovelace"),
        ("ada@firm.org", None, "Charles Babbage"),
        ("adal@firm.org", None, "Ada Lovelace"),
        ("firm.org", "12", "Ada Lovelace"),
        (None, None, None),
    ],
)
def test_two_people_are_not_joined(other: tuple[str | None, str | None, str | None]) -> None:
    """A name, a number, or a mailbox with names that share no word is not enough."""
    assert _people(ADA, other) == {}


def test_dots_matter_except_in_addresses_of_google() -> None:
    """a.b@gmail.com and ab@googlemail.com are one mailbox, a.b@firm.org and ab@firm.org are two."""
    rows = [(email, None, None) for email in ("a.b@gmail.com", "ab@googlemail.com", "a.b@firm.org", "ab@firm.org")]

    assert _people(*rows) == {"0": "0", "1": "0"}


@pytest.mark.parametrize("text", ["", "none", "@", "a@", "a@b", "@firm.org", "a@@b.org", "n/a"])
def test_what_is_no_address_joins_nobody(text: str) -> None:
    """Placeholders are in many leads."""
    assert _people((text, text, text), (text, text, text)) == {}


def test_a_third_lead_joins_two() -> None:
    """The second has the address of the first and the number of the third."""
    rows = [("a@x.org", None, None), ("a@x.org", "030 1234567", "Ada King"), (None, "0301234567", "King Ada")]

    assert _people(*rows) == {"0": "0", "1": "0", "2": "0"}
    assert _people(rows[0], rows[2]) == {}


LEAD = st.tuples(
    st.sampled_from(["a@x.org", "b@x.org", "A@X.org", None]),
    st.sampled_from(["0301234567", "0309999999", None]),
    st.sampled_from(["Ada King", "King Ada", "Bob Roe", "Bob", None]),
)


@pytest.mark.slow
@given(st.lists(LEAD, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[str | None, str | None, str | None]], random) -> None:
    """People are a division of the leads, named by their smallest id; each has two leads at least."""
    ids = np.array([f"L{at}" for at in range(len(rows))], dtype=object)
    order = random.sample(range(len(rows)), len(rows))
    columns = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    found = same_people(ids, *columns)
    shuffled = same_people(ids[order], *(column[order] for column in columns))

    assert shuffled.to_dict() == found.to_dict()
    for person, leads in found.groupby(found):
        assert person == min(leads.index)
        assert len(leads) > 1


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=10), st.dictionaries(st.integers(0, 9), st.booleans()))
def test_groups_join_over_people_and_else_stay(groups: list[str], pairs: dict[int, bool]) -> None:
    """Rows of one group stay together, leads of one person come together, and no other group changes its name."""
    ids = np.array([str(at) for at in range(len(groups))], dtype=object)
    people = pd.Series({str(at): str(which) for at, which in pairs.items() if at < len(groups)}, dtype=object)
    before = np.array(groups, dtype=object)
    joined = join_groups(before, ids, people)

    for at in range(len(groups)):
        same_group = before == before[at]
        assert len(set(joined[same_group])) == 1
        if not {ids[other] for other in np.flatnonzero(same_group)} & set(people.index):
            assert joined[at] == before[at]
    for _, leads in people.groupby(people):
        assert len({joined[int(lead)] for lead in leads.index}) == 1
