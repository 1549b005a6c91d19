"""Propose the role of each column of an unknown file: by its values first, then by its name.

A proposal is a starting point: somebody who knows the data must read and correct it. What follows from a name alone, or
from nothing, is marked as guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from leadml.leads.judge.name_words import name_words
from leadml.leads.judge.pii import find_pii

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.judge.column_content import ColumnContent
    from leadml.leads.judge.presets import Preset
    from leadml.params import Kind

Role = Literal[
    "lead_id", "valid_from", "recorded_at", "created_at", "account", "label", "fit", "engagement", "excluded"
]

CREATION_WORDS = """
    aangemaakt aanmaak added alta angelegt anlage anlagedatum crea creacion creado creata create created creation
    creazione cree creee criacao criado eingang eingangsdatum entry erfasst erfassungsdatum erstelldatum erstellt
    erstellungsdatum inquiry received registered registration signup submitted
"""
NOT_CREATION_WORDS = """
    abschluss activity approved birth bis changed close closed contacted converted customer due end ende expected
    expiry fin geandert geburtsdatum last letzte login modifie modified mql next renewal sql until update updated
    valid won
"""
DATES_WORDS = """
    am at data date datum day fecha jour le on tag time timestamp zeit zeitpunkt
"""
IDS_WORDS = """
    code codice codigo guid hash id ids key n no nr num number numero nummer ref reference uuid
"""
LEADS_WORDS = """
    contact customer hs kontakt lead leads person prospect record
"""
PEOPLE_WORDS = """
    advisor agent assigned assignee bearbeiter berater besitzer betreuer commercial manager owner proprietaire rep
    representative responsable salesperson seller vendedor venditore verantwortlich vertriebler
"""
NAMES_WORDS = """
    apellido cognome firstname fullname lastname nachname nom nombre nome prenom surname vorname
"""
COMPANIES_WORDS = """
    account arbeitgeber azienda bedrijf company employer empresa entreprise firma organisation organization societe
    unternehmen
"""
ENGAGEMENT_WORDS = """
    activities activity anrufe aufrufe besuch besuche bounce bounces call calls campagne campaign campaigns channel
    click clicks contact day days demo demos download downloads email emails engagement event events exit form forms
    frequency impressions interactions kampagne kanal klicks login logins mail mails medium meeting meetings month
    open opened opens page pages pageview pageviews pricing quelle recency referral referrer replies reply
    seitenaufrufe session sessions source touch touches touchpoints utm view viewed views visit visited visitor
    visits webinar webinars
"""
CREATION, NOT_CREATION, DATES, IDS, LEADS, PEOPLE, NAMES, COMPANIES, ENGAGEMENT = (
    frozenset(text.split())
    for text in (
        CREATION_WORDS,
        NOT_CREATION_WORDS,
        DATES_WORDS,
        IDS_WORDS,
        LEADS_WORDS,
        PEOPLE_WORDS,
        NAMES_WORDS,
        COMPANIES_WORDS,
        ENGAGEMENT_WORDS,
    )
)
LOGIN = re.compile(r"[a-z]+[._][a-z]+")
MOST_NAMES = 3  # words: the first, a middle and the last
NAMES_OF_PEOPLE = "names of people: a model that uses them judges those people"
MANY_COMPANIES = 50  # more names than anybody would type as a choice; a list of customers or partners has fewer
MIN_SHARE_ID = 0.5  # of the filled rows: above it a category has fewer than two leads a level
FILLED = 0.95  # of the rows: leads without a date are left out of a training, so there must be few


@dataclass(frozen=True)
class Proposal:
    """The role that a column seems to have.

    Parameters
    ----------
    column
        Name of the column.
    role
        What the column is used for.
    kind
        How the values of a field are read; None for other roles.
    reason
        Why the role is proposed.
    guessed
        Whether nobody could know it from the file; a person must look at it.
    """

    column: str
    role: Role
    kind: Kind | None
    reason: str
    guessed: bool = field(default=False)


def find_lead_id(columns: Mapping[str, ColumnContent], taken: Sequence[str] = ()) -> Proposal | None:
    """Return the column that identifies leads, or None: one that differs on every row and is named like an id.

    Parameters
    ----------
    columns
        What each column holds, in the order of the file.
    taken
        Columns that have another role.
    """
    named: list[tuple[bool, bool, int, str, ColumnContent]] = []
    unnamed: list[tuple[bool, bool, int, str, ColumnContent]] = []
    for place, (name, content) in enumerate(columns.items()):
        words = name_words(name)
        if name in taken or not content.is_distinct or is_time(name, content) or content.kind == "text" or not words:
            continue
        is_named = words[-1] in IDS or words[0] in IDS
        is_of_leads = is_named and bool(set(words) & LEADS or len(words) == 1)
        if is_named or content.runs_on:
            named.append((not is_of_leads, not is_named, place, name, content))
        elif content.kind == "category" and not find_pii(name, list(content.levels)):
            unnamed.append((True, True, place, name, content))
    found = named or (unnamed if len(unnamed) == 1 else [])
    if not found:
        return None
    *_, is_unnamed, _, name, content = min(found, key=lambda each: each[:3])
    how_often = "every row" if content.distinct == content.rows else "nearly every row"
    why = "is named like an id" if not is_unnamed else "runs on" if content.runs_on else "is the only such column"
    return Proposal(name, "lead_id", None, f"differs on {how_often} and {why}", guessed=is_unnamed)


def find_created_at(columns: Mapping[str, ColumnContent], taken: Sequence[str] = ()) -> Proposal | None:
    """Return the column that says when a lead came, or None: a time on nearly every row, named like a creation.

    Parameters
    ----------
    columns
        What each column holds, in the order of the file.
    taken
        Columns that have another role.
    """
    times = [name for name, content in columns.items() if name not in taken and _is_dated(name, content)]
    words = {name: set(name_words(name)) for name in times}
    named = [name for name in times if words[name] & CREATION]
    if named:
        name = min(
            named, key=lambda each: (bool(words[each] & COMPANIES), not words[each] & LEADS)
        )  # min takes the first
        is_open = len(named) > 1 and not words[name] & LEADS
        return Proposal(name, "created_at", None, "a time, named like a creation", guessed=is_open)
    others = [name for name in times if not words[name] & NOT_CREATION]
    if len(others) == 1:
        return Proposal(others[0], "created_at", None, "the one time that leads have", guessed=True)
    return None


def _is_dated(name: str, content: ColumnContent) -> bool:
    """Return whether a column holds times, on nearly every row."""
    share = 1.0 if content.dates is None else content.dates.share
    return is_time(name, content) and content.filled * share >= FILLED * content.rows


def is_time(name: str, content: ColumnContent) -> bool:
    """Return whether a column holds times: by its values, or seconds since 1970 in a column named like a time."""
    if content.kind == "time":
        return True
    is_epoch = content.dates is not None and content.dates.whole_numbers
    return is_epoch and bool(set(name_words(name)) & (CREATION | DATES | NOT_CREATION))


def find_known(
    columns: Mapping[str, ColumnContent], preset: Preset, role: Literal["lead_id", "created_at"]
) -> Proposal | None:
    """Return the column that a CRM has for a role, or None where it is absent or its values do not fit.

    Parameters
    ----------
    columns
        What each column holds.
    preset
        What is known of the CRM.
    role
        The role.
    """
    name = preset.first(preset.lead_id if role == "lead_id" else preset.created_at, columns)
    if name is None:
        return None
    content = columns[name]
    fits = content.is_distinct if role == "lead_id" else _is_dated(name, content)
    return Proposal(name, role, None, f"{preset.name} has it there") if fits else None


def propose_field(name: str, content: ColumnContent, preset: Preset | None = None) -> Proposal:
    """Return the role of a column that is neither id, date nor label: a field of a group, or why it is no field.

    Parameters
    ----------
    name
        Name of the column.
    content
        What it holds.
    preset
        What is known of the CRM that the file comes from.
    """
    reason, guessed = _reason_against(name, content)
    if not reason and preset is not None and preset.is_later(name):
        reason = f"{preset.name} fills it in later"
    if reason:
        return Proposal(name, "excluded", None, reason, guessed=guessed)
    words = {word.rstrip("s") for word in name_words(name)} | set(name_words(name))
    role: Role = "engagement" if words & ENGAGEMENT else "fit"
    levels = content.distinct
    if content.kind == "boolean":
        return Proposal(name, role, "boolean", "true and false")
    if content.kind == "number" and name_words(name)[-1:] in {("id",), ("code",), ("key",)}:
        return Proposal(name, role, "category", f"{levels:,} numbers, named like codes", guessed=True)
    if content.kind == "number":
        return Proposal(name, role, "number", f"{levels:,} numbers")
    return Proposal(name, role, "category", f"{levels:,} levels")


def _reason_against(name: str, content: ColumnContent) -> tuple[str, bool]:
    """Return why a column is no field, empty where it may be one, and whether that is guessed."""
    words = set(name_words(name))
    levels = [level for level in content.levels if level]
    is_many = content.distinct > MIN_SHARE_ID * content.filled
    is_words = content.kind == "category" or content.runs_on
    is_company = bool(words & COMPANIES) and (is_many or content.distinct > MANY_COMPANIES)
    is_empty, is_constant = content.kind == "empty", content.kind == "constant" and content.filled == content.rows
    personal = "" if is_empty or is_constant else find_pii(name, levels)
    reasons = (
        (is_empty, "empty: no row has a value"),
        (is_constant, "constant: the same value everywhere"),
        (is_time(name, content), "a time other than that of the creation"),
        (bool(personal), f"personal data: seems to hold {personal}"),
        (content.kind == "text", "free text: nearly every lead has its own"),
        (is_many and bool(words & IDS), "an id: differs on nearly every row that has one"),
        (is_words and bool(words & (PEOPLE | NAMES)) and _are_names(levels), NAMES_OF_PEOPLE),
        (is_words and is_company, "names of companies: most leads have their own"),
        (is_words and content.is_distinct, "id-like: different on nearly every row"),
        (is_words and is_many, "id-like: most leads have their own"),
    )
    reason = next((text for holds, text in reasons if holds), "")
    return reason, reason == NAMES_OF_PEOPLE


def _are_names(levels: Sequence[str]) -> bool:
    """Return whether most values are few words with capital letters, or such as tim.b, as names of people are."""
    few = [level for level in levels if len(level.split()) <= MOST_NAMES]
    named = sum(1 for level in few if level.istitle() or LOGIN.fullmatch(level))
    return named > len(levels) / 2
