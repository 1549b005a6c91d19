"""Tell columns that hold personal data.

What enters is a column's name and some of its values; what leaves is what kind of personal data it seems to hold.
It judges by name and by form, so it can be wrong both ways: a person decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMS = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "IP addresses": re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}"),
    "telephone numbers": re.compile(r"\+?\(?[0-9][0-9 ()./-]{7,18}[0-9]"),
    "IBANs": re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"),
}
NAMES = {
    "e-mail addresses": {"email", "e_mail", "mail", "email_address"},
    "telephone numbers": {"phone", "telephone", "mobile", "phone_number", "fax"},
    "names of people": {"name", "first_name", "last_name", "full_name", "surname", "firstname", "lastname"},
    "addresses": {"address", "street", "postal_address", "zip", "zip_code", "postcode"},
    "protected traits": {"gender", "sex", "ethnicity", "race", "religion", "health", "disability"},
}
ENOUGH = 0.5
INNOCENT = re.compile(
    r"[-+]?[0-9]+([.,][0-9]+)?|"
    r"([0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{4})([T ].*)?"
)


def plain_name(name: str) -> str:
    """Return a column's name in small letters, digits and single underscores.

    Examples
    --------
    >>> plain_name("Lead Source (first)")
    'lead_source_first'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def pii_kind(name: str, values: Iterable[str]) -> str | None:
    """Return what personal data a text column seems to hold, or None.

    Parameters
    ----------
    name
        Of the column.
    values
        Some of its texts.

    Examples
    --------
    >>> pii_kind("contact", ["ada@example.org", "bob@example.org"])
    'e-mail addresses'
    >>> pii_kind("contact", ["cellular", "telephone"]) is None
    True
    """
    for kind, names in NAMES.items():
        if plain_name(name) in names:
            return kind
    texts = [value.strip() for value in values if not INNOCENT.fullmatch(value.strip())]
    for kind, form in FORMS.items():
        hits = sum(1 for text in texts if form.fullmatch(text))
        if texts and hits > ENOUGH * len(texts):
            return kind
    return None
