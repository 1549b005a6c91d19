"""Derive fields from columns that cannot be used as they are: e-mails, job titles, company sizes, countries, evidence.

The derived fields are classes that many leads share, so that they do not identify a person. No text is refused: a text
that fits no class is "other", and a missing text is missing.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.field import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from leadml.params import DerivedParams
    from leadml.types import Objects

FREE_DOMAINS = """
    163 126 aol bigpond bluewin comcast daum duck fastmail freenet gmail gmx googlemail hey hotmail hushmail
    icloud inbox laposte libero live mac mail mailbox me msn naver orange outlook pm posteo proton protonmail qq
    rambler rediffmail rocketmail seznam sina t-online telenet tuta tutanota verizon wanadoo web wp yahoo yandex
    ymail zoho
"""
DISPOSABLE_DOMAINS = """
    10minutemail discard dispostable emailondeck fakeinbox getnada guerrillamail mailcatch maildrop mailinator
    mailnesia mintemail mohmal sharklasers spamgourmet temp-mail tempmail throwawaymail trashmail yopmail
"""
FREE, DISPOSABLE = (frozenset(names.split()) for names in (FREE_DOMAINS, DISPOSABLE_DOMAINS))
SECOND_LEVEL = frozenset({"ac", "co", "com", "net", "org"})  # as in yahoo.co.uk
EDUCATION = re.compile(r"(^|\.)(edu|ac)(\.[a-z]{2})?$|(^|[.-])(uni|university|college|school)[.-]")
GOVERNMENT = re.compile(r"(^|\.)(gov|mil|gouv|gob|gv|govt|bund)(\.[a-z]{2})?$")
DOMAIN = re.compile(r"^[^@\s]+@((?:[a-z0-9-]+\.)+[a-z]{2,})$")

TITLE_RANKS = (
    ("student", r"student|intern|internship|trainee|apprentice|praktikant\w*|werkstudent\w*|auszubildende\w*"),
    ("assistant", r"assistant|secretary|receptionist|assistenz|sekret\w+"),
    ("vice president", r"[es]?vp|vice president|vice-president"),
    (
        "executive",
        r"chief|c[a-z]o|(co-?)?founder|owner|president|partner|managing director|gesch\w+f(ü|ue)hr\w+|principal",
    ),
    ("director", r"director|head|direktor\w*|directeur|bereichsleit\w+"),
    ("manager", r"manager|lead|supervisor|team leader|\w*leiter(in)?|\w*leitung|coordinator"),
)
TITLE_DEPARTMENTS = (
    ("marketing", r"marketing|cmo|brand|growth|communications?|content|seo|demand|pr"),
    ("sales", r"sales|business development|account executive|account manager|revenue|cro|vertrieb\w*|commercial"),
    (
        "it",
        r"it|information technology|cio|cto|software|developer|data|systems?|infrastructure|devops|security|technology",
    ),
    ("finance", r"finance|financial|cfo|accounting|accountant|controller|controlling|treasur\w+|finanz\w*"),
    ("human resources", r"hr|human resources|people|talent|recruit\w+|chro|personal"),
    ("purchasing", r"procurement|purchasing|buyer|sourcing|einkauf\w*"),
    ("operations", r"operations?|coo|logistics|supply chain|production|manufacturing|facility|quality"),
    ("engineering", r"engineer\w*|r&d|research|scientist|design\w*|architect|technical"),
    ("product", r"product|cpo"),
    ("legal", r"legal|counsel|lawyer|attorney|compliance"),
    ("support", r"support|customer (success|service|care)|service"),
    (
        "general management",
        r"ceo|founder|co-?founder|owner|president|managing director|gesch(ä|ae)ftsf(ü|ue)hr\w+|partner",
    ),
)
# LinkedIn's bands of company size, which providers of data on companies use too.
SIZE_BANDS = ((1, "1"), (10, "2-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1000, "501-1,000"))
# The same bands, the large ones.
LARGE_SIZE_BANDS = ((5000, "1,001-5,000"), (10_000, "5,001-10,000"))
LARGEST_BAND = "over 10,000"
EMPLOYEES = re.compile(r"(?<!\d)(\d{1,3}(?:[.,' ]\d{3}){1,3}|\d{1,12})(?!\d)(?:\.0+(?!\d))? ?(k|tsd)?\b")
MAX_CHARACTERS = 200  # bounds the time of the patterns on texts that are no titles; a title has a tenth of this
COUNTRY_ALIASES = {
    "uk": "GB", "united kingdom": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "usa": "US", "u.s.": "US", "u.s.a.": "US", "united states of america": "US", "america": "US",
    "deutschland": "DE", "österreich": "AT", "schweiz": "CH", "suisse": "CH", "espana": "ES", "españa": "ES",
    "italia": "IT", "holland": "NL", "the netherlands": "NL", "czechia": "CZ", "russian federation": "RU",
    "south korea": "KR", "republic of korea": "KR", "uae": "AE", "viet nam": "VN", "türkiye": "TR", "brasil": "BR",
}  # fmt: skip


def email_domain(text: str) -> str:
    """Return the class of the domain of an e-mail address.

    Examples
    --------
    >>> [email_domain(text) for text in ("a@gmail.com", "b@acme.example", "c@mit.edu", "d@health.gov.uk", "e")]
    ['free', 'company', 'education', 'government', 'no address']
    """
    match = DOMAIN.match(text[-MAX_CHARACTERS:].strip().lower())
    if not match:
        return "no address"
    domain = match[1]
    *names, _ = domain.split(".")
    if set(names) & DISPOSABLE:
        return "disposable"
    owner = names[-2] if len(names) > 1 and names[-1] in SECOND_LEVEL else names[-1]
    if owner in FREE:
        return "free"
    if EDUCATION.search(domain):
        return "education"
    return "government" if GOVERNMENT.search(domain) else "company"


def title_rank(text: str) -> str:
    """Return the rank class of a job title.

    Examples
    --------
    >>> [title_rank(text) for text in ("VP Sales", "Head of IT", "Assistant to the CEO", "Accountant")]
    ['vice president', 'director', 'assistant', 'specialist']
    """
    return _first_match(TITLE_RANKS, text) or "specialist"


def title_department(text: str) -> str:
    """Return the department of a job title.

    Examples
    --------
    >>> [title_department(text) for text in ("VP Sales", "Head of IT", "CEO", "Clown")]
    ['sales', 'it', 'general management', 'other']
    """
    return _first_match(TITLE_DEPARTMENTS, text) or "other"


def company_size(text: str) -> str:
    """Return the size band of a number of employees, or of a band such as 11-50.

    Examples
    --------
    >>> [company_size(text) for text in ("7", "11-50", "1,200", "10.000+", "5k", "many")]
    ['2-10', '11-50', '1,001-5,000', '5,001-10,000', '1,001-5,000', 'other']
    """
    counts = [
        int(re.sub(r"\D", "", digits)) * (1000 if unit else 1)
        for digits, unit in EMPLOYEES.findall(text[:MAX_CHARACTERS].strip().lower())
    ]
    if not counts:
        return "other"
    return next((band for most, band in (*SIZE_BANDS, *LARGE_SIZE_BANDS) if counts[-1] <= most), LARGEST_BAND)


def country(text: str) -> str:
    """Return the ISO 3166 code of a country's name or code.

    Examples
    --------
    >>> [country(text) for text in ("de", "Germany", "UK", "Atlantis")]
    ['DE', 'DE', 'GB', 'other']
    """
    return _countries().get(text.strip().lower(), "other")


DERIVATIONS: dict[str, tuple[tuple[str, Callable[[str], str]], ...]] = {
    "email": (("email_domain", email_domain),),
    "title": (("title_rank", title_rank), ("title_department", title_department)),
    "company_size": (("company_size", company_size),),
    "country": (("country_code", country),),
}
EVIDENCE_COUNT = "evidence_given"


def derived_fields(choices: DerivedParams) -> tuple[Field, ...]:
    """Return the fields that are derived from the columns of some choices, all in the fit group."""
    fields = [
        Field(name, "category", "fit", "derived")
        for role, derivations in DERIVATIONS.items()
        if getattr(choices, role)
        for name, _ in derivations
    ]
    fields += [Field(f"{name}_given", "boolean", "fit", "derived") for name in choices.evidence]
    if choices.evidence:
        fields.append(Field(EVIDENCE_COUNT, "number", "fit", "derived", words="{} of the evidence fields are filled"))
    return tuple(fields)


def derive_columns(texts: dict[str, Objects], choices: DerivedParams) -> dict[str, NDArray[Any]]:
    """Return the values of the derived fields.

    Parameters
    ----------
    texts
        The columns of ``choices``, text or None, each of shape (n_leads,).
    choices
        Which fields are derived from which column.

    Returns
    -------
    dict
        Array of shape (n_leads,) for each of `derived_fields`: text or None for classes, 0.0 or 1.0 for each evidence
        column, and the number of evidence columns that are filled.
    """
    columns: dict[str, NDArray[Any]] = {}
    for role, derivations in DERIVATIONS.items():
        column = getattr(choices, role)
        if column:
            codes, values = pd.factorize(texts[column], use_na_sentinel=True)
            for name, derive in derivations:
                classes = np.array([*(derive(str(value)) for value in values), None], dtype=object)
                columns[name] = classes[codes]
    filled = [np.array([value is not None for value in texts[name]], dtype=float) for name in choices.evidence]
    columns |= {f"{name}_given": values for name, values in zip(choices.evidence, filled, strict=True)}
    if filled:
        columns[EVIDENCE_COUNT] = np.sum(filled, axis=0)
    return columns


def _first_match(classes: tuple[tuple[str, str], ...], text: str) -> str | None:
    lower_case = text[:MAX_CHARACTERS].strip().lower()
    return next((name for name, pattern in classes if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", lower_case)), None)


@cache
def _countries() -> dict[str, str]:
    """Return the code of each country by code and name in lower case.

    The source is the table of the time zone database, which is in the public domain.
    """
    lines = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8").splitlines()
    names = dict(line.split("\t")[:2] for line in lines if line and not line.startswith("#"))
    by_code = {code.lower(): code for code in names}
    by_name = {name.lower(): code for code, name in names.items()}
    return by_name | by_code | COUNTRY_ALIASES
