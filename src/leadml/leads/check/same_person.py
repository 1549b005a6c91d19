"""Find leads that are one person: entered twice, or merged in the sales system and exported under both ids.

E-mail addresses, telephone numbers and names are compared in memory; the result has ids only. Two leads are one person
if they have

- the same e-mail address, unless both have a name and the names share no word (a mailbox that several people use);
- the same telephone number and the same name of two words or more (a number alone may be that of a switchboard).

A third lead that is the same person as one of two makes all three one person.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from leadml.types import Objects, Rows

PHONE_DIGITS = 9  # at the end of a number: what +49 30 1234567 and 030 1234567 have in common
MIN_PHONE_DIGITS = 7  # fewer are an extension, not a number (ITU-T E.164 has no shorter international numbers in use)
MIN_NAME_WORDS = 2  # one word is a first name, which many people share
GOOGLE = {
    "gmail.com",
    "googlemail.com",
}  # one mailbox with and without dots: https://support.google.com/mail/answer/7436150


def same_people(ids: Objects, emails: Objects, phones: Objects, names: Objects) -> pd.Series:
    """Return the person of each lead that is the same person as another lead.

    Parameters
    ----------
    ids
        Id of each row, shape (n_rows,); a lead may have several rows.
    emails, phones, names
        Texts of each row, None where one is missing, shape (n_rows,).

    Returns
    -------
    Series
        By id, the smallest id of the leads that are the same person; leads of which there is one are left out.

    Examples
    --------
    >>> ids = np.array(["7", "3", "5"], dtype=object)
    >>> emails = np.array(["ada@x.org", " ADA@x.org", "bob@x.org"], dtype=object)
    >>> same_people(ids, emails, np.full(3, None), np.full(3, None)).to_dict()
    {'3': '3', '7': '3'}
    """
    lead, unique = pd.factorize(ids, sort=True)
    keys: dict[tuple[str, ...], int] = {}
    ends = [
        (row, keys.setdefault(key, len(keys)))
        for row, key in _keys(map(_email, emails), map(_phone, phones), list(map(_name, names)))
    ]
    rows, found = np.array(ends, dtype=np.intp).reshape(-1, 2).T
    component = _components(lead[rows], found, len(unique), len(keys))
    first = pd.Series(unique).groupby(component).transform("first")
    several = pd.Series(component).groupby(component).transform("size") > 1
    return pd.Series(first[several].to_numpy(), index=unique[several.to_numpy()], dtype=object)


def join_groups(groups: Objects, ids: Objects, people: pd.Series) -> Objects:
    """Return the group of each row such that a person is in one group, and groups with a person in common are one.

    Parameters
    ----------
    groups, ids
        Group and id of the lead of each row, shape (n_rows,).
    people
        What `same_people` returns.
    """
    if people.empty:
        return groups
    group, unique = pd.factorize(groups, sort=True)
    person, known = pd.factorize(pd.Series(ids).map(people))
    with_person = person >= 0
    component = _components(group[with_person], person[with_person], len(unique), len(known))
    joined = pd.Series(unique).groupby(component).transform("first").to_numpy(dtype=object)
    return np.asarray(joined[group], dtype=object)


def _components(left: Rows, right: Rows, lefts: int, rights: int) -> Rows:
    """Return the component of each of the left nodes of a graph whose edges join a left and a right node."""
    edges = coo_array((np.ones(len(left)), (left, right + lefts)), shape=(lefts + rights, lefts + rights))
    return np.asarray(connected_components(edges, directed=False)[1][:lefts], dtype=np.intp)


def _keys(
    emails: Iterable[str], phones: Iterable[str], names: list[frozenset[str]]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the row and the keys by which it is the same person as other rows with one of these keys."""
    rows = list(emails)
    nameless = {email for email, name in zip(rows, names, strict=True) if not name}
    for row, (email, name) in enumerate(zip(rows, names, strict=True)):
        if email and email in nameless:
            yield row, ("email", email)
        elif email:
            yield from ((row, ("email", email, word)) for word in name)
    for row, (phone, name) in enumerate(zip(phones, names, strict=True)):
        if phone and len(name) >= MIN_NAME_WORDS:
            yield row, ("phone", phone, *sorted(name))


def _email(text: str | None) -> str:
    """Return an address in the form in which addresses of one mailbox are equal, "" where it is none."""
    local, at, domain = (text or "").strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if not at or not local or "." not in domain or "@" in local:
        return ""
    if domain in GOOGLE:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def _phone(text: str | None) -> str:
    """Return the last digits of a number, "" where there are too few."""
    digits = re.sub(r"\D", "", (text or "").split("ext")[0])
    return digits[-PHONE_DIGITS:] if len(digits) >= MIN_PHONE_DIGITS else ""


def _name(text: str | None) -> frozenset[str]:
    """Return the words of a name in any order, in lower case and without accents; a single letter is no word."""
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(word for word in re.findall(r"[^\W\d_]+", letters) if len(word) > 1)
