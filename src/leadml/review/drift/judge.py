"""Say which changes of the leads since the training need attention.

A change is said if its size is above its limit, which is that of ``review.changes`` or the largest size by which one
part of the training's time differed from the others, whichever is larger. What follows from a change that is said is
not said again: an empty field has no other finding, and where fields changed, the probabilities that follow from them
are not a finding of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leadml.errors import inert
from leadml.leads.judge.findings import CATALOGUE, Finding
from leadml.review.drift.sizes import change_sizes, stability_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.bundle.profile import FieldCounts, FieldSizes, LeadCounts, Profile
    from leadml.model.predict.reference import FieldBins
    from leadml.params.review import ChangeLimits

ALWAYS = 0.05  # share of the training's leads: a field that lacked in no more was nearly always there
# Of such a field 20 leads without a value come by chance in 0.05^20 of the batches, and fewer leads may be one import.
MIN_EMPTY = 20


def judge_changes(profile: Profile, counts: LeadCounts, limits: ChangeLimits) -> list[Finding]:
    """Return the changes above their limits as findings that warn; without any, one finding that says so.

    Parameters
    ----------
    profile
        The profile of the training.
    counts
        Counts of later leads by its bins.
    limits
        From which size a change is said, and for how many leads.
    """
    references = profile.counts.fields
    empty = [name for name, current in counts.fields.items() if is_emptied(references[name], current)]
    found = [_empty_field(name, profile.counts, counts) for name in empty]
    is_judged = counts.rows >= limits.min_leads
    if is_judged:
        found += _changes(profile, counts, limits, empty=empty)
    if found:
        return found
    if not is_judged:
        evidence = f"there are {counts.rows:,} leads, and fewer than {limits.min_leads:,} are not judged"
        return [Finding("RV0", "not applicable", evidence, _remedy("RV0"))]
    return [Finding("RV0", "passed", f"{counts.rows:,} leads do not differ from the training by more than the limits")]


def merge_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with one for each code: the first, which names the other fields of its code.

    Parameters
    ----------
    findings
        Of `judge_changes`.

    Examples
    --------
    >>> found = [Finding("RV2", "warn", "is empty in 90% of the leads", "see why", name) for name in ("age", "job")]
    >>> [str(finding) for finding in merge_findings(found)]
    ['RV2 age is empty in 90% of the leads; likewise changed: job; see why']
    """
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    merged = []
    for first, *others in by_code.values():
        names = ", ".join(inert(other.field) for other in others)
        merged.append(replace(first, evidence=f"{first.evidence}; likewise changed: {names}") if names else first)
    return merged


def is_emptied(reference: FieldCounts, current: FieldCounts) -> bool:
    """Return whether no lead of some has a field that the training nearly always had.

    Parameters
    ----------
    reference, current
        Counts of the field.

    Examples
    --------
    >>> from leadml.bundle.profile import FieldCounts
    >>> is_emptied(FieldCounts(3, (4997,)), FieldCounts(200, (0,)))
    True
    """
    missing = reference.missing / max(reference.missing + reference.present, 1)
    return not current.present and current.missing >= MIN_EMPTY and missing <= ALWAYS


def _changes(profile: Profile, counts: LeadCounts, limits: ChangeLimits, *, empty: list[str]) -> Iterator[Finding]:
    """Yield what changed of the fields that are not empty, and of the stages or the probabilities."""
    sizes = change_sizes(profile.bins, profile.counts, counts)
    is_explained = bool(empty)
    for name, size in sorted(sizes.fields.items(), key=lambda item: (-item[1].distribution, item[0])):
        if name in empty:
            continue
        over = _over(size, profile.varied.fields[name], limits)
        if min(profile.counts.fields[name].present, counts.fields[name].present) < limits.min_leads:
            over &= {"missing"}
        for finding in _field_findings(name, over, profile, counts):
            is_explained = True
            yield finding
    if sizes.stages > max(limits.stages, profile.varied.stages):
        yield _stages(profile.counts, counts)
    elif not is_explained and sizes.score > max(limits.score, profile.varied.score):
        index = stability_index(profile.counts.scores, counts.scores)
        yield _warn("RV6", _means(profile.counts, counts) + f"; the stability index is {index:.2f}")


def _over(size: FieldSizes, varied: FieldSizes, limits: ChangeLimits) -> set[str]:
    """Return which sizes of a field are above their limits."""
    names = ("missing", "out_of_range", "new_levels", "distribution")
    return {name for name in names if getattr(size, name) > max(getattr(limits, name), getattr(varied, name))}


def _field_findings(name: str, over: set[str], profile: Profile, counts: LeadCounts) -> Iterator[Finding]:
    """Yield that values are missing, and the first other change of the field: one cause gives one line."""
    bins, reference, current = profile.bins[name], profile.counts.fields[name], counts.fields[name]
    if "missing" in over and not current.present:
        yield _empty_field(name, profile.counts, counts)
    elif "missing" in over:
        shares = [_share(each.missing, each.missing + each.present) for each in (current, reference)]
        yield _warn("RV2", f"is empty in {shares[0]}; in the training in {shares[1]}", name)
    if "out_of_range" in over:
        range_ = f"is {bins.label(0)} or {bins.label(bins.size - 1)}"
        outside = [_share(each.bins[0] + each.bins[-1], each.present, "numbers") for each in (current, reference)]
        yield _warn("RV3", f"{range_} in {outside[0]}; in the training in {outside[1]}", name)
    elif "new_levels" in over:
        others = [_share(each.bins[-1], each.present, "values") for each in (current, reference)]
        text = f"has a level that the model does not know in {others[0]}"
        yield _warn("RV4", f"{text}; in the training in {others[1]}", name)
    elif "distribution" in over:
        yield _warn("RV5", _spread(bins, reference, current), name)


def _spread(bins: FieldBins, reference: FieldCounts, current: FieldCounts) -> str:
    """Return in words which values became more frequent by the most leads."""
    shares = [np.array(each.bins) / each.present for each in (current, reference)]
    at = int(np.argmax(shares[0] - shares[1]))
    now, before = (_share(each.bins[at], each.present, "values") for each in (current, reference))
    return f"is {inert(bins.label(at))} in {now}; in the training in {before}"


def _empty_field(name: str, reference: LeadCounts, current: LeadCounts) -> Finding:
    before = f"{reference.fields[name].missing:,} of {reference.rows:,}"
    return _warn("RV1", f"is empty in all {current.rows:,} leads; in the training in {before}", name)


def _stages(reference: LeadCounts, current: LeadCounts) -> Finding:
    """Return the finding about the stage whose share rose most."""
    (now, leads), (before, others) = ((each.stages, sum(each.stages.values())) for each in (current, reference))
    stage = max(now, key=lambda name: now[name] / leads - before[name] / others)
    text = f"all {leads:,} leads are" if now[stage] == leads else f"{_share(now[stage], leads)} are"
    text = f"{text} in {stage} by the cuts; in the training {_share(before[stage], others)}"
    return _warn("RV7", f"{text}; {_means(reference, current)}")


def _means(reference: LeadCounts, current: LeadCounts) -> str:
    now, before = current.mean_probability, reference.mean_probability
    return f"the mean probability is {now:.1%}, in the training {before:.1%}"


def _warn(code: str, evidence: str, field: str = "") -> Finding:
    return Finding(code, "warn", evidence, _remedy(code), field)


def _remedy(code: str) -> str:
    remedy = CATALOGUE[code].remedy
    return remedy[0].lower() + remedy[1:-1]


def _share(part: int, leads: int, what: str = "leads") -> str:
    return f"{part:,} of {leads:,} {what} ({part / max(leads, 1):.0%})"
