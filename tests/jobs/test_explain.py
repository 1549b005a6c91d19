"""Explanations of one lead add up to its score."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.jobs.explain import Explained, explain, explanation_table
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.leads.sources.source import scoring_source
from leadml.model.predict.explain import NEW, START_GROUP

NOW = "2026-01-01T00:00:00+00:00"


def explained(project: Places, trained: Trained, file: Path, lead_id: str) -> Explained:
    """Return the explanation of a lead of a file."""
    source = scoring_source(trained.model.bundle.leads, project, now=NOW, file=file)
    return explain(trained.model, lead_id, source=source, as_of=None, progress=lambda _: None)


def test_an_explanation_adds_up_to_the_score(trained_project: tuple[Places, Trained]) -> None:
    """The points of all rows sum to 100 times the probability; the fields are sorted by absolute points."""
    project, trained = trained_project

    explanation = explained(project, trained, project.data, "12")

    assert explanation.table["points"].sum() == pytest.approx(100 * explanation.probability, abs=1e-9)
    assert explanation.table["field"].iloc[0] == "starting point"
    strengths = explanation.table["points"].iloc[1:].abs().tolist()
    assert strengths == sorted(strengths, reverse=True)
    assert set(explanation.table["field"].iloc[1:]) == {
        field.name for field in trained.model.bundle.leads.contract.fields
    }


def test_a_value_that_is_new_to_the_model_has_no_points(
    trained_project: tuple[Places, Trained], tmp_path: Path
) -> None:
    """Its reason says that it is new, and no other reason does."""
    project, trained = trained_project
    leads = pd.read_csv(project.data, dtype=str).head(2).assign(job="astronaut")
    leads.to_csv(tmp_path / "leads.csv", index=False)

    table = explained(project, trained, tmp_path / "leads.csv", leads["id"].iloc[0]).table.set_index("field")

    assert table.loc["job", "reason"] == "job is astronaut, which is new to the model"
    assert table.loc["job", ["log_odds", "points"]].tolist() == [0.0, 0.0]
    assert table["reason"].str.contains("new to the model").sum() == 1


def test_the_table_ends_with_the_score(trained_project: tuple[Places, Trained]) -> None:
    """The rows of the table sum to the score in its last row, in every digit that is shown."""
    project, trained = trained_project
    explanation = explained(project, trained, project.data, "12")

    rows = explanation_table(explanation).rows
    assert rows[0][0] == "starting point"
    assert rows[-1][0].startswith("score, stage ")
    assert rows[-1][-1] == f"{100 * explanation.probability:.2f}"
    for column in (-1, -2):
        assert sum(Decimal(row[column]) for row in rows[:-1]) == Decimal(rows[-1][column])


def test_small_contributions_are_one_row() -> None:
    """The fields of a topic are one row with its strongest reason, a new value is told, and all sum to the score."""
    fields = [
        ("starting point", START_GROUP, -1.0, 10.004, "starting point", "starting point"),
        ("demo_7d", "engagement", 0.5, 4.004, "demo", "2 demos in the last 7 days"),
        ("demo_30d", "engagement", -0.1, -1.0, "demo", "3 demos in the last 30 days"),
        ("size", "fit", -0.9, -5.004, "size", "size is 9"),
        ("land", "fit", 0.0, 0.049, "land", "land is BE"),
        ("title", "fit", 0.001, 0.02, "title", "title is not known"),
        ("source", "fit", 0.0, 0.0, "source", "source is Podcast, which is new to the model"),
    ]
    table = pd.DataFrame(fields, columns=["field", "group", "log_odds", "points", "topic", "reason"])
    table = table.assign(value="", remark=np.where(table["field"] == "source", NEW, ""))
    shown = explanation_table(Explained("1", table["points"].sum() / 100, "MQL", table))

    assert list(shown.rows) == [
        ("starting point", "", "-1.000", "+10.00"),
        ("size is 9", "fit", "-0.900", "-5.00"),
        ("2 demos in the last 7 days", "engagement", "+0.400", "+3.00"),
        ("source is Podcast, which is new to the model", "fit", "+0.000", "+0.00"),
        ("2 more, each below 0.05 points", "", "+0.001", "+0.07"),
        ("score, stage MQL", "", "-1.499", "8.07"),
    ]


def test_an_unknown_id_is_refused(trained_project: tuple[Places, Trained]) -> None:
    """Ids are text, so an id with a leading zero is another lead."""
    project, trained = trained_project

    with pytest.raises(DataError, match=r"bank\.csv: must contain the lead '012', got no such id; ids are text"):
        explained(project, trained, project.data, "012")


def test_a_lead_with_a_faulty_row_is_refused_with_its_line(
    tmp_path: Path, trained_project: tuple[Places, Trained], bank_file: Path
) -> None:
    """A lead that cannot be scored cannot be explained."""
    lines = bank_file.read_text(encoding="utf-8").splitlines()[:5]
    (tmp_path / "one.csv").write_text("\n".join([*lines[:2], lines[2].replace("33", "old", 1)]), encoding="utf-8")

    with pytest.raises(DataError, match=r"one\.csv:3: age must be a number .* got 'old'"):
        explained(*trained_project, tmp_path / "one.csv", "1")
