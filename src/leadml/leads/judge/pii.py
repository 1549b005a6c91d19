"""Recognise columns that seem to hold personal data.

Names and patterns decide, so there are false alarms and missed columns: a person must decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PATTERNS = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "IP addresses": re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}"),
    "telephone numbers": re.compile(r"\+?\(?[0-9][0-9 ()./-]{7,18}[0-9]"),
    "IBANs": re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"),
}
COLUMN_NAMES = {
    "e-mail addresses": {"email", "e_mail", "mail", "email_address"},
    "telephone numbers": {"phone", "telephone", "mobile", "phone_number", "fax"},
    "names of people": {"name", "first_name", "last_name", "full_name", "surname", "firstname", "lastname"},
    "addresses": {"address", "street", "postal_address", "zip", "zip_code", "postcode"},
    "protected traits": {"gender", "sex", "ethnicity", "race", "religion", "health", "disability"},
}
MIN_SHARE = 0.5  # a column holds what most of its texts are; a few addresses in a column of notes are not seen
NUMBER_OR_DATE = re.compile(
    r"[-+]?[0-9]+([.,][0-9]+)?|"
    r"([0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{4})([T ].*)?"
)


def plain_name(name: str) -> str:
    """Return the name of a column in lower case, with single underscores in place of other characters.

    Examples
    --------
    >>> plain_name("Lead Source (first)")
    'lead_source_first'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def find_pii(name: str, values: Iterable[str]) -> str | None:
    """Return in words which personal data a text column seems to hold, or None.

    Parameters
    ----------
    name
        Name of the column.
    values
        Some of its texts.

    Examples
    --------
    >>> find_pii("contact", ["ada@example.org", "bob@example.org"])
    'e-mail addresses'
    >>> find_pii("contact", ["cellular", "telephone"]) is None
    True
    """
    for data, names in COLUMN_NAMES.items():
        if plain_name(name) in names:
            return data
    texts = [value.strip() for value in values if not NUMBER_OR_DATE.fullmatch(value.strip())]
    for data, pattern in PATTERNS.items():
        matches = sum(1 for text in texts if pattern.fullmatch(text))
        if texts and matches > MIN_SHARE * len(texts):
            return data
    return None
