"""What a review reads of shadows."""

from __future__ import annotations

from tests.reviews import LATER
from tests.stores import silent

from leadml.bundle.model import load
from leadml.jobs.places import Places
from leadml.jobs.review_data import read_review_data
from leadml.jobs.shadowed import read_shadows
from leadml.leads.check.instants import from_shown


def test_without_shadows_there_is_no_table(scored_stream: Places) -> None:
    """The review shows no section."""
    model, until = load(scored_stream.registry.champion_path()), from_shown(LATER)
    data = read_review_data(model, scored_stream, until=until, now=LATER, progress=silent)
    assert read_shadows(model, scored_stream, data.scores, until=until, now=LATER, progress=silent) is None
