"""Show the cuts of a version with what each lets in, try another rule, and save the cuts that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadml.bundle.saved_cuts import SavedCuts, newest_saved, saved_folder, saved_text
from leadml.errors import LeadmlError, ParamsError, nearest, quoted
from leadml.model.judge.evaluation import as_rows
from leadml.params import CapacityRule, FixedRule
from leadml.params.choices import MoneyParams
from leadml.publish.files import locked, write_text, writing
from leadml.publish.text_tables import TextTable
from leadml.publish.text_tables import cut_table as shown_cuts
from leadml.stages.candidates import Candidates
from leadml.stages.cuts import DROP, cut_table, read_rules, solve_candidates
from leadml.stages.ladder import ADVISED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.bundle.model import Model
    from leadml.params import Params
    from leadml.params.cut_rule import CutRule
    from leadml.stages.cuts import Cut

OF_LEADS = 1000  # differences are told for so many leads
NUMBERS = {"precision": "at_least", "recall": "at_least", "share": "top", "fixed": "probability"}


@dataclass(frozen=True, repr=False, eq=False)
class CutReview:
    """The cuts of a version, and those that a rule would give.

    Parameters
    ----------
    present
        A row for each present cut: ``stage, probability, rule, remark, leads``, and ``share, precision, recall`` with
        both ends of their 90% intervals, on the leads that the cuts were solved on.
    proposed
        The same for the cuts with the other rule; None without one.
    difference
        A row for each stage whose cut differs: ``stage``, and ``leads`` and ``conversions`` more (or less) of a
        thousand leads, and ``money`` if params tell what a contact costs and a conversion brings; None without a rule.
    saved
        The version of the cuts that was saved, 0 if nothing was.
    """

    present: pd.DataFrame
    proposed: pd.DataFrame | None
    difference: pd.DataFrame | None
    saved: int = 0

    def __repr__(self) -> str:
        """Return the cuts in one line."""
        table = self.present if self.proposed is None else self.proposed
        return f"<cuts: {', '.join(f'{row.stage} from {row.probability:.4f}' for row in table.itertuples()) or 'none'}>"

    def _repr_html_(self) -> str:
        """Return the cuts as a table, for notebooks."""
        return shown_cuts(self.present if self.proposed is None else self.proposed).to_html(repr(self)[1:-1])


def review_cuts(
    model: Model,
    params: Params | None,
    rules: Mapping[str, CutRule | Mapping[str, Any]] | None = None,
    *,
    save: bool = False,
    now: str,
) -> CutReview:
    """Return the cuts of a version, and those that other rules would give; save the latter if asked to.

    Parameters
    ----------
    model
        The version.
    params
        The choices, of which crossing and money are read; None for the defaults.
    rules
        Rules by stage, ``iql``, ``mql``, ``sql`` or ``drop``; stages that are not named keep their cuts.
    save
        Whether scoring uses the new cuts from now on.
    now
        The instant in ISO 8601.

    Raises
    ------
    ParamsError
        If a rule is not valid.
    LeadmlError
        If no cut meets a rule, cuts cross and are refused, the rule reads a column of the leads, or there is nothing
        to save.
    """
    plan, candidates = model.bundle.stages, model.bundle.candidates
    cuts = (*plan.cuts, *([plan.drop] if plan.drop else ()))
    present = cut_table(cuts, candidates)
    if not rules:
        if save:
            msg = "save (--save) must come with a rule whose cut is saved, got none; add --rule"
            raise LeadmlError(msg)
        return CutReview(present, None, None)
    asked = read_rules(rules)
    if reading := next((stage for stage, rule in asked.items() if rule.columns), None):
        msg = f"{reading.lower()}: this rule reads a column of the leads; put it into params.yaml and train again"
        raise LeadmlError(msg)
    kept = {cut.stage: FixedRule(rule="fixed", probability=cut.probability) for cut in cuts if cut.stage != DROP}
    crossing, money = (params.stages.crossing, params.stages.money) if params else ("refuse", MoneyParams())
    solved = solve_candidates(Candidates.stored(candidates), {**kept, **asked}, crossing=crossing)
    by_stage = {cut.stage: cut for cut in cuts}
    new = tuple(_unchanged(cut, by_stage, asked) for cut in solved.cuts)
    drop = solved.drop if DROP in asked else plan.drop
    proposed = cut_table((*new, *([drop] if drop else ())), candidates)
    number = save_cuts(model, new, drop, now) if save else 0
    return CutReview(present, proposed, _difference(present, proposed, money), number)


def _unchanged(cut: Cut, before: Mapping[str, Cut], asked: Mapping[str, CutRule]) -> Cut:
    """Return the cut as it was if no rule was asked for it and it did not move."""
    old = before.get(cut.stage)
    return old if old is not None and cut.stage not in asked and old.probability == cut.probability else cut


def save_cuts(model: Model, cuts: Sequence[Cut], drop: Cut | None, now: str) -> int:
    """Save cuts as the next version of those of a model, so that scoring uses them, and return its number.

    Parameters
    ----------
    model
        The version of the model.
    cuts
        One per advised stage, rising.
    drop
        The cut below which leads are dropped, or None.
    now
        The instant in ISO 8601.

    Raises
    ------
    LeadmlError
        If the folder of the models cannot be written to.
    """
    folder = saved_folder(model.folder)
    with writing(folder):
        folder.mkdir(exist_ok=True)
        with locked(folder):
            last = newest_saved(model.folder, model.manifest.model_hash)
            saved = SavedCuts(last.number + 1 if last else 1, tuple(cuts), drop, now)
            write_text(folder / f"{saved.number}.json", saved_text(saved, model.manifest.model_hash))
    return saved.number


def _difference(present: pd.DataFrame, proposed: pd.DataFrame, money: MoneyParams) -> pd.DataFrame:
    """Return what changes for a thousand leads; for `DROP`, what is called."""
    before = {row["stage"]: row for row in as_rows(present)}
    rows = []
    for row in as_rows(proposed):
        old = before.get(row["stage"], {"probability": 0.0, "share": 1.0, "precision": None})
        if row["probability"] == old["probability"]:
            continue
        won, old_won = (_won(each, proposed) for each in (row, old))
        leads, conversions = OF_LEADS * (row["share"] - old["share"]), OF_LEADS * (won - old_won)
        told = {"leads": leads, "conversions": conversions, "money": _money(leads, conversions, money)}
        rows.append({"stage": row["stage"], **told})
    return pd.DataFrame(rows, columns=["stage", "leads", "conversions", "money"])


def _won(row: Mapping[str, Any], table: pd.DataFrame) -> float:
    """Return the conversions at or above a cut, as a share of all leads."""
    if row["precision"] is None:  # no cut: all leads, whose rate follows from any cut with conversions
        known = table[table["recall"] > 0].iloc[0]
        return float(known["share"] * known["precision"] / known["recall"])
    return float(row["share"] * row["precision"]) if row["share"] else 0.0


def _money(leads: float, conversions: float, money: MoneyParams) -> float | None:
    if money.contact_cost is None or money.won_value is None:
        return None
    return conversions * money.won_value - leads * money.contact_cost


def rule_of(text: str) -> tuple[str | None, dict[str, Any]]:
    """Return the stage that a short rule implies, and the rule: ``precision=0.3``, ``capacity=40/200``, ``drop=0.05``.

    Raises
    ------
    ParamsError
        If the text is no rule.

    Examples
    --------
    >>> rule_of("precision=0.3")
    (None, {'rule': 'precision', 'at_least': 0.3})
    >>> rule_of("drop=0.05")
    ('drop', {'lose_at_most': 0.05})
    """
    name, _, value = text.partition("=")
    parts = value.split("/")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    pairs = {"capacity": ("leads_per_week", "incoming_per_week"), "value": ("contact_cost", "won_value")}
    if name in NUMBERS and len(numbers) == 1:
        return None, {"rule": name, NUMBERS[name]: numbers[0]}
    if name in pairs and len(numbers) == len(pairs[name]):
        return None, {"rule": name, **dict(zip(pairs[name], numbers, strict=True))}
    if name == "drop" and len(numbers) == 1:
        return name, {"lose_at_most": numbers[0]}
    names = [*NUMBERS, *pairs, "drop"]
    msg = (
        f"rule (--rule) must be precision=0.3, recall=0.8, share=0.1, fixed=0.2, drop=0.05, capacity=40/200 or "
        f"value=5/200, got {quoted(text)}{nearest(name, names)}"
    )
    raise ParamsError(msg)


def asked_rules(
    params: Params | None, *, rule: str | None, capacity: float | None, incoming: float | None, stage: str
) -> dict[str, dict[str, Any]]:
    """Return the rules that are asked for in short, by stage; none if nothing is asked for.

    Parameters
    ----------
    params
        The choices, which may say how many leads come in.
    rule
        A rule as `rule_of` reads it, or None.
    capacity, incoming
        Leads that the team can work, and that come in, each in a week; None for what params say.
    stage
        The stage of the rule.

    Raises
    ------
    ParamsError
        If both are asked for, or nothing says how many leads come in.
    """
    if capacity is None:
        implied, asked = rule_of(rule) if rule is not None else (None, {})
        return {implied or stage: asked} if asked else {}
    if rule is not None:
        msg = "either rule (--rule) or capacity (--capacity) must be given, got both"
        raise ParamsError(msg)
    cuts = [getattr(params.stages, name.lower()) for name in ADVISED] if params else []
    known = [cut.incoming_per_week for cut in cuts if isinstance(cut, CapacityRule)]
    if incoming is None and not known:
        msg = "capacity (--capacity) must come with incoming (--incoming), because params have no rule of a capacity"
        raise ParamsError(msg)
    weekly = known[0] if incoming is None else incoming
    return {stage: {"rule": "capacity", "leads_per_week": capacity, "incoming_per_week": weekly}}


def difference_table(table: pd.DataFrame, currency: str) -> TextTable:
    """Return differences as a table for people."""
    rows = [
        (
            row["stage"],
            f"{row['leads']:+.1f}",
            f"{row['conversions']:+.2f}",
            "not told" if pd.isna(row["money"]) else f"{row['money']:+,.2f} {currency}",
        )
        for row in as_rows(table)
    ]
    return TextTable(("stage", "leads of 1,000", "conversions", "money"), rows)
