"""Tell what the value of a status or of a yes/no column says about a lead: won, lost or still open.

The words are those that CRMs offer and that sales teams add, in English, German, French, Spanish, Italian, Portuguese
and Dutch. A value that has none of them says nothing here; a person must sort it.
"""

from __future__ import annotations

from typing import Literal

from leadml.leads.judge.name_words import name_words

Meaning = Literal["won", "lost", "open"]

YES_WORDS = """
    1 ano j ja o oui s si sim t tak true verdadeiro verdadero vero vrai waar wahr x y yes
"""
NO_WORDS = """
    0 f falsch false falso faux n nao nee nein nie no non onwaar
"""
WON_WORDS = """
    acquired bought client cliente closedwon converted converti convertido customer customers enrolled evangelist
    gagne gagnee ganada ganado ganho gekauft gewonnen klant konvertiert kunde paid purchased signe signed sold
    subscribed vendido vendu verkauft verkocht vinta vinto won
"""
LOST_WORDS = """
    abandoned abandonne abgelehnt absage bad canceled cancelled closedlost competition competitor dead declined
    disqualified disqualifiziert duplicate former invalid junk konkurrenz lost perdida perdido perdidos perdu perdue
    persa perso rechazado recycled refuse refused rejected spam storniert unqualified unresponsive unsubscribed
    verloren wettbewerb
"""
OPEN_WORDS = """
    abierta abierto active aktiv andamento aperta aperto assigned attempted attempting attente attesa bearbeitung
    cold connected contact contacted contacting cours curso demo discovery engaged follow hold hot hubspot in
    inprogress iql laufend lead leads marketing mql negotiation neu new nieuw nouveau novo nuevo nuovo nurture
    nurturing offen onhold open opportunity ouvert pendente pendiente pending pipeline proposal prospect prospecting
    qualification qualifie qualified qualifiziert quote raw sal sales scheduled sql subscriber talks trial
    uncontacted warm wartend working
"""
NEGATIONS_WORDS = """
    kein keine never nicht no non not pas sin
"""
YES, NO, WON, LOST, OPEN, NEGATIONS = (
    frozenset(text.split()) for text in (YES_WORDS, NO_WORDS, WON_WORDS, LOST_WORDS, OPEN_WORDS, NEGATIONS_WORDS)
)


# What stands beside won in the names of stages; with any other word, such as "existing customer" or "to be signed", a
# value may mean something else.
BESIDE_WON = frozenset(("a", "close", "closed", "contract", "deal", "lead", "new", "opportunity", "order", "stage"))


def meaning_of(value: str) -> Meaning | None:
    """Return what a value says about a lead, or None where its words say nothing.

    Examples
    --------
    >>> [meaning_of(value) for value in ("Closed Won", "Closed - Not Converted", "Marketing Qualified Lead")]
    ['won', 'lost', 'open']
    >>> [meaning_of(value) for value in ("gewonnen", "Unqualified", "", "Closed", "Existing customer")]
    ['won', 'lost', 'open', None, None]
    """
    words = frozenset(name_words(value))
    if not words:
        return "open"
    if words & LOST:
        return "lost"
    if words & WON:
        others = {word for word in words - WON - BESIDE_WON if not word.isdigit()}
        return "lost" if words & NEGATIONS else None if others else "won"
    if "interested" in words or "qualified" in words or "fit" in words:
        return "lost" if words & NEGATIONS else "open"
    return "open" if words & OPEN else None


def answer_of(value: str) -> bool | None:
    """Return what a value of a yes/no column says, or None where it is neither.

    Examples
    --------
    >>> [answer_of(value) for value in ("JA", "false", "1", "1.0", "maybe")]
    [True, False, True, True, None]
    """
    plain = value.strip().removesuffix(".0")
    word = "".join(name_words(plain)) if plain.isalnum() else ""
    return True if word in YES else False if word in NO else None
