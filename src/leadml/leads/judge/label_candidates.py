"""Find the columns of a file that say what became of leads, rank them, and say what each of their values means.

A column whose name and values do not speak of an outcome is no candidate, however few values it has: nothing is learnt
from an answer such as "opted out" without a person's word.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from leadml.errors import quoted
from leadml.leads.judge.name_words import name_words
from leadml.leads.judge.outcome_words import answer_of, meaning_of
from leadml.params import label_word

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from leadml.leads.judge.outcome_words import Meaning

Strength = Literal[0, 1, 2, 3, 4]

BOUGHT = 3  # the strength of columns whose question may be another one, such as whether a lead is a customer already
# HubSpot has 8 lifecycle stages and as many lead statuses, and teams add some; a column with more is no status.
MAX_LEVELS = 20
CONVERTED_NAMES_WORDS = """
    conversion converted converti convertida convertido gagne gagnee ganada ganado geconverteerd gewonnen
    konvertiert konvertierung vinta vinto won
"""
BOUGHT_NAMES_WORDS = """
    abgeschlossen bought buyer buys churn churned client cliente customer deal enrolled gekauft klant kunde paid
    purchase purchased response revenue signed sold subscribed
"""
STATUS_NAMES_WORDS = """
    disposition ergebnis esito estado etapa etat fase outcome phase result resultado resultat risultato situacao
    situacion stade stadio stage stato status statut
"""
LABEL_NAMES_WORDS = """
    class label target y
"""
NO_MEANING_WORDS = """
    a account c closed company contact crm current deal did flag flg has hat hs hubspot in ind into is ist lead
    leads opportunity prospect sf the to was wurde yn
"""
CONVERTED_NAMES, BOUGHT_NAMES, STATUS_NAMES, LABEL_NAMES, NO_MEANING = (
    frozenset(text.split())
    for text in (CONVERTED_NAMES_WORDS, BOUGHT_NAMES_WORDS, STATUS_NAMES_WORDS, LABEL_NAMES_WORDS, NO_MEANING_WORDS)
)
REASONS: dict[Strength, str] = {  # from what nobody names a column otherwise to what other columns are called too
    0: "says by its name that leads converted",
    1: "is a status with a value for won",
    2: "has values for won and for lost",
    3: "says by its name that leads became customers",
    4: "is called as labels are",
}


@dataclass(frozen=True)
class Candidate:
    """A column that seems to say what became of leads.

    Parameters
    ----------
    column
        Name of the column.
    strength
        0 for the surest kind of column, 4 for the weakest.
    positive, negative, open
        Its values by what they mean, the most frequent first.
    guessed
        Values whose meaning follows from the others alone.
    won
        Share of the leads that converted, of those whose outcome is known.
    why
        Why the column is a candidate, in words, where its strength does not say it.
    """

    column: str
    strength: Strength
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    open: tuple[str, ...] = ()
    guessed: tuple[str, ...] = field(default=())
    won: float = 0.0
    why: str = ""

    @property
    def reason(self) -> str:
        """Why the column is a candidate, in words."""
        words = " or ".join(quoted(word) for word in self.positive)
        return f"{self.why or REASONS[self.strength]}; {self.won:.1%} are {words}"


def find_candidates(columns: Mapping[str, Mapping[str, int]]) -> list[Candidate]:
    """Return the columns that may be the label, the surest first; those of one strength in the order of the file.

    Parameters
    ----------
    columns
        For each column how many leads have each value, the empty text for none.
    """
    found = [candidate for name, levels in columns.items() if (candidate := _candidate(name, levels)) is not None]
    return sorted(found, key=lambda candidate: candidate.strength)


def declared_candidate(
    name: str,
    levels: Mapping[str, int],
    *,
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    open_: Sequence[str] = (),
    why: str = "named by you",
) -> Candidate | None:
    """Return a column that is known to be the label, or None where it remains open which of its values mean won.

    Parameters
    ----------
    name
        Name of the column.
    levels
        How many leads have each value, the empty text for none.
    positive, negative, open_
        The values that are known; the others are sorted by their words. Where nothing tells a value of a column with
        one positive value, it means not converted.
    why
        Why it is known, in words.
    """
    sides: tuple[tuple[Sequence[str], Meaning], ...] = ((positive, "won"), (negative, "lost"), (open_, "open"))
    given = {label_word(word): meaning for words, meaning in sides for word in words}
    meanings = {
        level: None if positive and meaning == "won" else meaning for level, meaning in _meanings(levels).items()
    }
    settled = {level: given[label_word(level)] for level in levels if label_word(level) in given}
    found = _sorted_levels(name, 0, levels, {**meanings, **settled}, settled=settled)
    return None if found is None else replace(found, why=why)


def _candidate(name: str, levels: Mapping[str, int]) -> Candidate | None:
    """Return a column as a candidate, or None where it is none."""
    if not 2 <= len(levels) <= MAX_LEVELS:  # noqa: PLR2004 - a label has two outcomes
        return None
    meanings = _meanings(levels)
    words = [word for word in name_words(name) if word not in NO_MEANING] or list(name_words(name))[-1:]
    is_answer = all(answer_of(level) is not None for level in levels if level)
    told = {meaning_of(level) for level in levels if level}
    says_won, has_outcomes = "won" in meanings.values(), {"won", "lost"} <= told
    strength: Strength
    if len(words) == 1 and words[0] in CONVERTED_NAMES and says_won:
        strength = 0
    elif not is_answer and "won" in told and words and words[-1] in STATUS_NAMES:
        strength = 1
    elif not is_answer and has_outcomes:
        strength = 2
    elif len(words) == 1 and words[0] in BOUGHT_NAMES and is_answer and says_won:
        strength = 3
    elif len(words) == 1 and words[0] in LABEL_NAMES and says_won:
        strength = 4
    else:
        return None
    return _sorted_levels(name, strength, levels, meanings)


def _meanings(levels: Mapping[str, int]) -> dict[str, Meaning | None]:
    """Return the meaning of each value: by yes and no where there are both, and by the words of a status."""
    answers = {level: answer_of(level) for level in levels}
    in_words = {answer for level, answer in answers.items() if len(level) > 1 and not level.isdigit()}
    if all(answer is not None for level, answer in answers.items() if level) or {True, False} <= in_words:
        by_answer: dict[bool | None, Meaning] = {True: "won", False: "lost"}
        return {level: by_answer.get(answers[level]) or meaning_of(level) for level in levels}
    return {level: meaning_of(level) for level in levels}


def _sorted_levels(
    name: str,
    strength: Strength,
    levels: Mapping[str, int],
    meanings: Mapping[str, Meaning | None],
    *,
    settled: Collection[str] = (),
) -> Candidate | None:
    """Return the candidate with its values sorted, or None where none is won, or nothing else is there.

    Values that say nothing are open where others say lost. Where none says lost, the stages before the won one count as
    not converted, for want of better. What a person settled stays as it is. The empty value is open, except where there
    is no other beside won.
    """
    order = sorted(levels, key=lambda level: (-levels[level], level))
    has_lost = "lost" in meanings.values()
    sides: dict[Meaning, list[str]] = {"won": [], "lost": [], "open": []}
    guessed = []
    for level in order:
        meaning = meanings[level]
        is_stage = bool(level) and meaning in {None, "open"} and level not in settled
        if is_stage and (meaning is None or not has_lost):
            guessed.append(level)
        sides["lost" if is_stage and not has_lost else meaning or "open"].append(level)
    if not sides["lost"] and sides["open"] == [""] and "" not in settled:
        sides["lost"], sides["open"], guessed = [""], [], [""]
    if not sides["won"] or not sides["lost"]:
        return None
    won, lost = (sum(levels[level] for level in sides[side]) for side in ("won", "lost"))
    positive, negative, open_ = (tuple(sides[side]) for side in ("won", "lost", "open"))
    return Candidate(name, strength, positive, negative, open_, tuple(guessed), won / (won + lost))
