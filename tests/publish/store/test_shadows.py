"""The scores of shadows in the store."""

from __future__ import annotations

import pandas as pd

from leadml.publish.store.opening import writing_alone
from leadml.publish.store.shadows import add_shadow, shadow_scores


def test_scores_of_a_batch_that_does_not_count_are_not_read(tmp_path: object) -> None:
    """And those of one that was written again replace the others."""
    scored = pd.DataFrame({"lead_id": ["b", "a"], "probability": [0.2, 0.1], "stage": ["MQL", "LEAD"]})
    with writing_alone(f"sqlite:///{tmp_path}/leadml.db", lambda _: None) as store:
        for _ in range(2):
            add_shadow(store, 1, scored, version="2", model_hash="h")
        found = shadow_scores(store, "won", "champion", until="2030-01-01T00:00:00+00:00")
    assert found.empty
    assert found.columns.tolist() == ["version", "model_hash", "lead_id", "probability", "at"]
