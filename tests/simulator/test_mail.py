"""Mails, scanners and bots change nothing of people, and are off by default."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.errors import LeadmlError
from leadml.simulator.mail import CLICK, DELIVERED, OPEN, SCANNERS, VISIT, MailOptions
from leadml.simulator.scenario import MAIL_OPTIONS, Scenario
from leadml.simulator.write import simulate

SIZE: dict[str, Any] = {"leads": 1500, "months": 6, "seed": 3}
KEY = ["lead_id", "occurred_at", "kind", "message_id"]


def _run(folder: Path, **options: Any) -> pd.DataFrame:
    simulate(folder, **SIZE, scenario={"truth_leads": 0, **options})
    return pd.read_parquet(folder / "activities")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Return activities without mails, with mails, and with machines too, and the acts of these."""
    folder = tmp_path_factory.mktemp("mail")
    machines = {"mail": True, "scanners": 0.3, "bots": 0.2}
    made = {"plain": _run(folder / "a"), "mail": _run(folder / "b", mail=True), "both": _run(folder / "c", **machines)}
    return {**made, "machines": pd.read_parquet(folder / "c" / "machines")}


def test_without_options_the_tables_are_the_same_to_the_byte(tmp_path: Path) -> None:
    """Those of the simulator before it knew mails, with the description of the simulation."""
    simulate(tmp_path / "a", leads=300, months=3, seed=7)
    hashed = hashlib.sha256()
    for file in sorted(path for path in (tmp_path / "a").rglob("*.parquet")):
        # As text, since hashes of pandas vary by version; to nine digits, since exp() varies by processor in the last.
        hashed.update(pd.read_parquet(file).to_csv(index=False, float_format="%.9g").encode())
    written = Scenario().as_written()

    assert hashed.hexdigest()[:16] == "8140bba21b32b749"
    assert not set(MAIL_OPTIONS) & set(written)
    assert set(MAIL_OPTIONS) <= set(Scenario(mail=True).as_written())


def test_people_do_the_same_with_and_without_machines(tables: dict[str, pd.DataFrame]) -> None:
    """What is added to their acts are machines; mails add deliveries and columns only, and move some clicks."""
    both = tables["both"].merge(tables["machines"].drop_duplicates(KEY), how="left", on=KEY, indicator=True)
    people = both[both["_merge"] == "left_only"][KEY]
    same = tables["mail"][KEY].merge(people.drop_duplicates(), how="left", on=KEY, indicator=True)

    assert (same["_merge"] == "both").mean() > 0.999  # but for a machine's act in the same second
    acts = tables["mail"][tables["mail"]["kind"] != DELIVERED]
    assert acts["kind"].value_counts().to_dict() == tables["plain"]["kind"].value_counts().to_dict()
    columns = ["lead_id", "occurred_at", "kind"]
    untouched = [frame[~frame["kind"].isin([CLICK, DELIVERED])][columns] for frame in (acts, tables["plain"])]
    assert untouched[0].value_counts().equals(untouched[1].value_counts())


def test_machines_do_the_share_that_was_asked_for(tables: dict[str, pd.DataFrame]) -> None:
    """Of opens and clicks, and of page visits."""
    counts, machines = tables["both"]["kind"].value_counts(), tables["machines"]["kind"].value_counts()

    assert machines[[OPEN, CLICK]].sum() / counts[[OPEN, CLICK]].sum() == pytest.approx(0.3, abs=0.01)
    assert machines[VISIT] / counts[VISIT] == pytest.approx(0.2, abs=0.1)


def test_delays_are_those_that_are_documented(tables: dict[str, pd.DataFrame]) -> None:
    """Half of the people open within an hour, one in fifty within ten seconds; a third of the scans wait a minute."""
    both = tables["both"]
    delivered = both[both["kind"] == DELIVERED].set_index("message_id")["occurred_at"]
    mail = tables["mail"][tables["mail"]["kind"] == OPEN]
    wait = (mail["occurred_at"] - delivered.loc[mail["message_id"]].array).dt.total_seconds()
    scans = tables["machines"].dropna(subset=["message_id"]).groupby("message_id")["occurred_at"].min()
    scan_wait = (scans - delivered.loc[scans.index]).dt.total_seconds()

    assert wait.min() >= 0
    assert wait.median() == pytest.approx(3600, rel=0.1)
    assert (wait <= 10).mean() == pytest.approx(0.02, abs=0.006)
    assert (scan_wait > 60).mean() == pytest.approx(1 / 3, abs=0.04)
    assert (scan_wait < 0).mean() == pytest.approx(0.067, abs=0.02)


def test_two_thirds_of_the_scans_name_their_agent(tables: dict[str, pd.DataFrame]) -> None:
    """The others name none; people name a browser or a mail program, or nothing."""
    both = tables["both"].merge(tables["machines"].drop_duplicates(KEY), how="inner", on=KEY)
    scans = both[both["kind"] != VISIT].groupby("message_id")["agent"].first()

    assert scans.isin(SCANNERS).mean() == pytest.approx(2 / 3, abs=0.04)
    assert not tables["mail"]["agent"].isin(SCANNERS).any()
    assert np.isclose(tables["mail"].query("kind == 'email_open'")["agent"].isna().mean(), 0.05, atol=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mail": True, "scanners": 1.0}, "scanners must be a share of at least 0 and below 1, got '1.0'"),
        ({"mail": True, "bots": "half"}, "bots must be a share of at least 0 and below 1, got 'half'"),
        ({"scanners": 0.1}, "scanners must come with mail, because only then"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    """Before anything is simulated."""
    with pytest.raises(LeadmlError, match=message):
        Scenario.of(options)
    assert MailOptions(0.1, 0.2).bots == 0.2
