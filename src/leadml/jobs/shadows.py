"""Let versions that are not in use score the same leads, so that reviews can show them beside the one in use.

Nothing of a shadow reaches sales: its scores have a table of their own, which no stage and no hand-off reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from leadml.bundle.model import load
from leadml.errors import LeadmlError, quoted
from leadml.leads.check.contract import LEAD_ID
from leadml.leads.sources.source import scoring_source

if TYPE_CHECKING:
    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.jobs.score_request import ScoreRequest
    from leadml.publish.keeper import Keeper
    from leadml.types import Progress

MOST = 3  # each reads and scores all leads once more


def choose_shadow(project: Places, version: str, *, stop: bool) -> list[str]:
    """Let a version score beside the one in use, or end that, and return the versions that do.

    Parameters
    ----------
    project
        The project.
    version
        Name of the version.
    stop
        Whether to end it.

    Raises
    ------
    BundleError
        If a file was changed.
    LeadmlError
        If there is no such version, it is in use, there are three already, or it is none that is to end.
    """
    registry, present = project.registry, project.registry.shadows()
    if stop and version not in present:
        hint = f"got {quoted(version)}; shadows are {', '.join(present)}" if present else "and there is none"
        msg = f"version must be a shadow to end it, {hint}"
        raise LeadmlError(msg)
    path = registry.path(version) if stop else registry.rival(version)
    chosen = {*present, version} - ({version} if stop else set())
    if len(chosen) > MOST:
        msg = f"there must be at most {MOST} shadows, got {', '.join(present)} and {version}; end one with --stop"
        raise LeadmlError(msg)
    load(path)  # a damaged version is refused now, not every night
    registry.set_shadows(chosen)
    return registry.shadows()


def score_shadows(
    champion: Model,
    project: Places,
    keeper: Keeper,
    request: ScoreRequest,
    *,
    now: str,
    progress: Progress,
) -> tuple[str, ...]:
    """Score the leads of a batch by all shadows, and return why some could not, in words.

    Parameters
    ----------
    champion
        The version that scored the batch; shadows are beside the version in use alone.
    project
        The project.
    keeper
        What keeps the batch, which is complete.
    request
        The leads of the batch.
    now
        The instant of the job in ISO 8601.
    progress
        Called with the name of each step as it begins.
    """
    doubts: list[str] = []
    try:
        versions = project.registry.shadows() if champion.version == project.registry.champion() else []
    except LeadmlError as error:
        return (f"no shadow scored: {error}",)
    for version in versions:
        progress(f"scoring by version {version}, a shadow")
        try:
            model = load(project.registry.path(version), threads=project.params.model.threads)
            scored = _scored(model, project, request, now=now, progress=progress)
        except LeadmlError as error:
            doubts.append(f"version {version} did not score as a shadow: {error}")
            continue
        keeper.add_shadow(scored, version=model.scored_version, model_hash=model.manifest.model_hash)
    return tuple(doubts)


def _scored(model: Model, project: Places, request: ScoreRequest, *, now: str, progress: Progress) -> pd.DataFrame:
    """Return ``lead_id, probability, stage`` of the leads that a version can score."""
    spec, parts = model.bundle.leads, []
    source = scoring_source(spec, project, now=now, file=request.file, only_open=request.only_open)
    with source.at(request.as_of, progress=progress, rows=project.params.score.chunk_rows) as leads:
        for chunk in leads.chunks():
            probability = model.bundle.model.predict(chunk.frame)
            stage = model.bundle.stages.advised(probability)
            parts.append(pd.DataFrame({LEAD_ID: chunk.frame[LEAD_ID], "probability": probability, "stage": stage}))
    return pd.concat(parts, ignore_index=True)
