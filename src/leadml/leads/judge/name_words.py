"""Split the names of columns, and the values of statuses, into words, whatever the system that wrote them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")  # LeadSource


@lru_cache(maxsize=10_000)
def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case and without accents.

    Examples
    --------
    >>> name_words("Lead-Nr."), name_words("hs_LeadStatus__c"), name_words("Résultat n°2")
    (('lead', 'nr'), ('hs', 'lead', 'status', 'c'), ('resultat', 'n', '2'))
    >>> name_words("Größe"), name_words("CreatedDate")
    (('grosse',), ('created', 'date'))
    """
    letters = unicodedata.normalize("NFD", name.replace("ß", "ss"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return tuple(re.findall(r"[^\W_]+", NEW_WORD.sub(" ", plain).lower()))
