"""Count leads by the bins of a profile. Counts of chunks add up to the counts of all leads, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.bundle.profile import MILLIONTHS, FieldCounts, LeadCounts
from leadml.stages.ladder import LEAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.bundle.profile import Profile
    from leadml.model.predict.reference import FieldBins
    from leadml.stages.cuts import Cut
    from leadml.types import Floats


def count_leads(
    profile: Profile, fields: Floats, probability: Floats, *, names: Sequence[str], cuts: Sequence[Cut]
) -> LeadCounts:
    """Return the counts of some leads by the bins of a profile, and by cuts.

    Parameters
    ----------
    profile
        The profile of the training.
    fields
        The leads as `Encoder.fields_of` of its model returns them, shape (n_leads, n_fields).
    probability
        Shape (n_leads,), in (0, 1).
    names
        The name of each column of ``fields``.
    cuts
        The cuts that are used now, rising.
    """
    return LeadCounts(
        rows=len(fields),
        fields=count_fields(profile.bins, names, fields),
        scores=count_scores(profile.edges, probability),
        millionths=sum_millionths(probability),
        stages=count_stages(cuts, probability),
    )


def count_fields(bins: Mapping[str, FieldBins], names: Sequence[str], fields: Floats) -> dict[str, FieldCounts]:
    """Return the counts of each field.

    Parameters
    ----------
    bins
        The bins of each field.
    names
        The name of each column of ``fields``.
    fields
        Shape (n_leads, n_fields), as `Encoder.fields_of` returns it.

    Examples
    --------
    >>> from leadml.model.predict.reference import FieldBins
    >>> count_fields({"asked": FieldBins("boolean")}, ["asked"], np.array([[1.0], [np.nan], [1.0]]))
    {'asked': FieldCounts(missing=1, bins=(0, 2))}
    """
    counts: dict[str, FieldCounts] = {}
    for column, name in enumerate(names):
        size = bins[name].size
        *found, missing = np.bincount(bins[name].positions(fields[:, column]), minlength=size + 1).tolist()
        counts[name] = FieldCounts(missing, tuple(found))
    return counts


def count_scores(edges: Sequence[float], probability: Floats) -> tuple[int, ...]:
    """Return how many probabilities are in each bin.

    Parameters
    ----------
    edges
        The highest probability of each bin but the last, rising.
    probability
        Shape (n_leads,).

    Examples
    --------
    >>> count_scores((0.1, 0.5), np.array([0.1, 0.2, 0.3, 0.9]))
    (1, 2, 1)
    """
    positions = np.searchsorted(np.array(edges), probability, side="left")
    return tuple(np.bincount(positions, minlength=len(edges) + 1).tolist())


def sum_millionths(probability: Floats) -> int:
    """Return the sum of probabilities in millionths, each rounded before.

    Examples
    --------
    >>> sum_millionths(np.array([0.25, 0.1234567]))
    373457
    """
    return int(np.rint(MILLIONTHS * probability).astype(np.int64).sum())


def count_stages(cuts: Sequence[Cut], probability: Floats) -> dict[str, int]:
    """Return the leads of each stage by the cuts alone, lowest first; nothing without cuts.

    Rules, records and the history of a lead change its stage, but say nothing of whether the cuts still fit.

    Parameters
    ----------
    cuts
        Rising; a lead is in a stage if its probability is the cut or higher.
    probability
        Shape (n_leads,).

    Examples
    --------
    >>> from leadml.stages.cuts import Cut
    >>> count_stages([Cut("MQL", 0.5, "fixed at 0.5")], np.array([0.1, 0.5, 0.7]))
    {'LEAD': 1, 'MQL': 2}
    """
    if not cuts:
        return {}
    reached = np.searchsorted([cut.probability for cut in cuts], probability, side="right")
    counts = np.bincount(reached, minlength=len(cuts) + 1).tolist()
    return dict(zip((LEAD, *(cut.stage for cut in cuts)), counts, strict=True))
