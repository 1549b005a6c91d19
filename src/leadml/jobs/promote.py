"""Put another version in use, or the one before.

The champion's file decides. The store and MLflow follow it: both must be there before anything moves.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.gate import judge_version
from leadml.jobs.gate_records import judged_before, last_answer
from leadml.jobs.store import open_store
from leadml.jobs.train import require_places
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import from_shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.bundle.model import Model
    from leadml.jobs.gate_records import Gated
    from leadml.jobs.places import Places
    from leadml.publish.store.opening import Store
    from leadml.types import Progress

PROMOTION = "promotion"  # kind of the decision in the store


@dataclass(frozen=True)
class Approval:
    """Who approves of a change of the version in use, and why; empty where nobody says so.

    Parameters
    ----------
    by, reason
        Who, and why.
    ungated
        Whether a version is put in use that the gate has not let pass; a reason must be given then.
    """

    by: str = ""
    reason: str = ""
    ungated: bool = False


@dataclass(frozen=True)
class Moved:
    """A change of the version in use.

    Parameters
    ----------
    target
        Name of the target.
    version, before
        The version in use now, and the one before; None if there was none.
    note
        What could not be done besides, in a sentence; empty if nothing.
    """

    target: str
    version: str
    before: str | None
    note: str = ""


def promote(project: Places, version: str, approval: Approval, *, now: str, progress: Progress) -> Moved:
    """Put a version in use that the gate lets pass.

    Where the gate has let it pass already, or no version is in use, it is not judged.

    Parameters
    ----------
    project
        The project.
    version
        Name of the version.
    approval
        Who approves of it, and why.
    now
        The instant in ISO 8601.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    BundleError
        If there is no such version, or its files were changed.
    LeadmlError
        If it is weak or in use already, if the gate does not let it pass, if params ask for a name and none is given,
        if another version was put in use meanwhile, or if the store or MLflow cannot be reached. Nothing has changed
        then.
    """
    registry = project.registry
    require_name(project, approval)
    model, before = load(registry.rival(version)), registry.champion()
    record = model.bundle.record
    if not record.is_usable:
        msg = f'version must be worth using, got {version}: {record.weakness} (leadml train --accept-weak "REASON")'
        raise LeadmlError(msg)
    _require_pass(project, model, before, approval, now=now, progress=progress)
    event = _event("promote", model, before, approval, now)
    with _followers(project, model, event, now=now, progress=progress) as moved:
        registry.promote(version, instead_of=before)
        registry.set_shadows({*registry.shadows()} - {version})
    return moved[0]


def roll_back(project: Places, approval: Approval, *, now: str, progress: Progress) -> Moved:
    """Put the version in use that was in use before.

    Parameters
    ----------
    project, approval, now, progress
        As for `promote`.

    Raises
    ------
    BundleError
        If its files were changed.
    LeadmlError
        If no version was in use before, and as for `promote`.
    """
    registry = project.registry
    require_name(project, approval)
    before, version = registry.champion() or "", registry.before()
    model = load(registry.path(version))
    event = _event("rollback", model, before, approval, now)
    with _followers(project, model, event, now=now, progress=progress) as moved:
        registry.roll_back(instead_of=before)
    return moved[0]


def require_name(project: Places, approval: Approval) -> None:
    """Raise a `LeadmlError` if params ask for the name of who approves, and none is given."""
    if project.params.gate.approval and not approval.by.strip():
        msg = "by (--by) must name who approves, as gate.approval asks for, got nothing"
        raise LeadmlError(msg)


def _require_pass(
    project: Places, model: Model, before: str | None, approval: Approval, *, now: str, progress: Progress
) -> None:
    """Refuse a version that the gate does not let pass, unless a person has a reason."""
    if before is None:
        return
    if approval.ungated:
        if not approval.reason.strip():
            msg = "reason (--reason) must say why the gate is passed over (--ungated), got nothing"
            raise LeadmlError(msg)
        return
    if project.registry.usable_champion() is None:
        msg = (
            f"version {before}, which is in use, must be whole to judge another beside it, got changed files; replace "
            f"it by leadml promote {model.version} --ungated --reason REASON"
        )
        raise LeadmlError(msg)
    champion = load(project.registry.path(before))
    found = last_answer(judged_before(project, now=now, progress=progress), champion, model)
    is_last = found is not None and found.is_decided_change and found.look >= project.params.gate.looks
    if found is None or not (_still_passes(found, project, now) or is_last):
        found = judge_version(project, model.version, now=now, progress=progress)
    if not _still_passes(found, project, now):
        ended = f"it passed on {found.at[:10]}, which holds for a period (review.period_days) and until a rollback"
        why = f"{project.target}: version {model.version}: {ended}" if found.passes else found.line
        msg = f"{why} (to use it all the same: leadml promote {model.version} --ungated --reason REASON)"
        raise LeadmlError(msg)


def _still_passes(found: Gated, project: Places, now: str) -> bool:
    """Return whether an answer lets a version pass today: it is no older than a period, and nobody took it back."""
    is_recent = from_shown(now) - from_shown(found.at) <= project.params.review.period_days * DAY
    return found.passes and is_recent and not was_taken_back(project, found.challenger, since=found.at)


def was_taken_back(project: Places, version: str, *, since: str = "") -> bool:
    """Return whether a person brought the version before back after a version was put in use.

    Parameters
    ----------
    project
        The project.
    version
        Name of the version.
    since
        The instant in ISO 8601 from which on; empty for ever.
    """
    if project.store_url is None:
        return False
    from leadml.publish.store.decisions import decisions_of  # noqa: PLC0415 - SQLAlchemy takes time
    from leadml.publish.store.opening import reading  # noqa: PLC0415

    with reading(project.store_url) as store:
        events = [] if store is None else store.read(lambda connection: decisions_of(connection, PROMOTION))
    backs = [each for each in events if each["action"] == "rollback" and each["target"] == project.target]
    return any(each["before"] == version and each["at"] >= since for each in backs)


def _event(action: str, model: Model, before: str | None, approval: Approval, now: str) -> dict[str, str]:
    """Return the record of a change of the version in use."""
    event = {"action": action, "at": now, "target": model.target, "version": model.version, "before": before or ""}
    event |= {"gate": "passed over"} if approval.ungated else {}
    return event | {"model_hash": model.manifest.model_hash, "by": approval.by, "reason": approval.reason}


@contextmanager
def _followers(
    project: Places, model: Model, event: dict[str, str], *, now: str, progress: Progress
) -> Iterator[list[Moved]]:
    """Reach the store and MLflow, let the block move the champion, and tell both of it."""
    require_places(project)
    if project.params.tracking.enabled:
        from leadml.publish.tracking import track_training  # noqa: PLC0415 - MLflow takes seconds to import

        progress("writing to MLflow")
        track_training(project.tracking_store, model, params=project.params, champion=False)
    with _open(project, now=now, progress=progress) as store:
        moved: list[Moved] = []
        yield moved
        if store is not None:
            from leadml.publish.store.decisions import add_decision  # noqa: PLC0415 - SQLAlchemy takes time

            store.write(lambda connection: add_decision(connection, PROMOTION, event, now))
    note = _move_alias(project, model, event) if project.params.tracking.enabled else ""
    moved.append(Moved(project.target, model.version, event["before"] or None, note))


@contextmanager
def _open(project: Places, *, now: str, progress: Progress) -> Iterator[Store | None]:
    """Give the store; None for a project without one."""
    if project.store_url is None:
        yield None
        return
    with open_store(project, now=now, progress=progress) as (store, _):
        yield store


def _move_alias(project: Places, model: Model, event: dict[str, str]) -> str:
    """Move MLflow's alias, and return a sentence where it cannot be moved: the champion's file has decided."""
    from leadml.publish.tracking import put_in_use  # noqa: PLC0415 - MLflow takes seconds to import

    try:
        put_in_use(project.tracking_store, model, event)
    except LeadmlError as error:
        return f"MLflow's alias waits; leadml status moves it ({error})"
    return ""
