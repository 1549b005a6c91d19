"""Recognise columns that seem to hold personal data.

Names and patterns decide, so there are false alarms and missed columns: a person must decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leadml.leads.judge.name_words import name_words

if TYPE_CHECKING:
    from collections.abc import Iterable

PATTERNS = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "IP addresses": re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}"),
    "telephone numbers": re.compile(r"\+?\(?[0-9][0-9 ()./-]{7,18}[0-9]"),
    "IBANs": re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"),
}
# Words by which a column is named, in the languages of `outcome_words`; the name may have further words that say which.
COLUMN_NAMES = {
    "e-mail addresses": "email mail courriel correo",
    "telephone numbers": "cell fax handy mobile phone portable tel telefon telefono telephone",
    "names of people": "apellido apellidos cognome firstname fullname lastname nachname name nom nombre nome prenom "
    "surname vorname",
    "addresses": "address adresse direccion indirizzo plz postal postcode postleitzahl street strasse zip zipcode",
    "protected traits": "disability ethnicity gender genero geschlecht health race religion sex sexe",
}
SAYING_WHICH_WORDS = """
    1 2 address adresse billing business client code contact customer de direct e first full home last lead mailing main
    mobile no nr number nummer other person primary private prospect secondary shipping work
"""
SAYING_WHICH = frozenset(SAYING_WHICH_WORDS.split())
MIN_SHARE = 0.5  # a column holds what most of its texts are; a few addresses in a column of notes are not seen
NUMBER_OR_DATE = re.compile(
    r"[-+]?[0-9]+([.,][0-9]+)?|"
    r"([0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{4})([T ].*)?"
)


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
    words = set(name_words(name))
    for data, names in COLUMN_NAMES.items():
        told = words & set(names.split())
        if told and words <= told | SAYING_WHICH:
            return data
    texts = [value.strip() for value in values if not NUMBER_OR_DATE.fullmatch(value.strip())]
    for data, pattern in PATTERNS.items():
        matches = sum(1 for text in texts if pattern.fullmatch(text))
        if texts and matches > MIN_SHARE * len(texts):
            return data
    return None
