"""LK1 to LK5: what the values of fields know, of each field by itself and beside the other fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.leads.judge.findings import FindingKind
from leadml.model.leaks.check import LeakCheck
from leadml.model.leaks.incremental_auc import suspect_incremental_auc
from leadml.model.leaks.single_field import suspect_single_field

if TYPE_CHECKING:
    from leadml.model.leaks.check import JudgedRows
    from leadml.model.leaks.suspicion import Suspicion


def suspect_fields(rows: JudgedRows) -> list[Suspicion]:
    """Return the suspicions of the values of fields, in the order of the fields."""
    suspected = {
        judged_field.field.name: suspicion
        for judged_field in rows.fields
        if rows.is_judged(judged_field.field.name) and (suspicion := suspect_single_field(judged_field, rows.leaks))
    }
    found = suspect_incremental_auc(rows, suspected)
    positions = {judged_field.field.name: at for at, judged_field in enumerate(rows.fields)}
    return [found[name] for name in sorted(found, key=lambda name: positions.get(name, len(positions)))]


CHECK = LeakCheck(
    {
        "LK1": FindingKind(
            "leaks",
            "A single field ranks leads almost perfectly",
            "Ask when the field is filled in. Exclude it if that happens after the outcome is known; else name it in "
            "leaks.accept with the reason.",
        ),
        "LK2": FindingKind(
            "leaks",
            "A field has a name that is written after the outcome",
            "Exclude the field, or name it in leaks.accept with the reason.",
        ),
        "LK3": FindingKind(
            "leaks",
            "A field knows what all others together do not",
            "Ask who fills the field in, and whether before or after the deal is decided.",
        ),
        "LK4": FindingKind(
            "leaks",
            "Whether a field is filled follows the outcome",
            "Exclude a field that is filled in only when the outcome is known.",
        ),
        "LK5": FindingKind(
            "leaks",
            "A single value implies the outcome",
            "Ask when the value is entered. Exclude the field if that happens after the outcome.",
        ),
    },
    suspect_fields,
    by_halves=True,
)
