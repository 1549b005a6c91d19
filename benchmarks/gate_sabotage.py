"""Twelve sabotaged challengers in a project of a stream of leads: whether each is refused, and for its own reason."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from leadml import LeadmlError, open_project
from leadml.model.parts.calibration import Calibrator
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.jobs.project import Project

FIRST = pd.Timestamp("2025-01-01", tz="UTC")
BEFORE, DAYS = 6_000, 100  # leads of the training, and days of later ones
FIELDS = {f"field_{number}": "number" for number in range(1, 9)}
PARAMS: dict[str, Any] = {
    "data": {"path": "leads.csv", "lead_id": "lead_id", "created_at": "created_at", "timezone": "UTC"},
    "target": {"name": "won", "column": "converted", "positive": ["1"], "negative": ["0"]},
    "features": {"fit": {**FIELDS, "channel": "category"}},
    "stages": {stage: {"rule": "share", "top": top} for stage, top in (("iql", 0.5), ("mql", 0.3), ("sql", 0.1))},
    "review": {"slices": ["channel"]},
    "tracking": {"enabled": False},
}
WEAK = "a sabotage"


def sabotaged() -> dict[str, str]:
    """Return by the name of each sabotage the words that refused it for its own reason; empty where none did."""
    found = {}
    with TemporaryDirectory() as folder:
        healthy = _project(Path(folder) / "healthy").places.root
        for name, (make, expected) in CASES.items():
            said = _refusal(open_project(shutil.copytree(healthy, Path(folder) / name.replace(" ", "_"))), make)
            found[name] = expected if expected in said else ""
            print(f"  {name:16} {said or 'passed'}", flush=True)
    return found


def _refusal(project: Project, make: Callable[[Project], dict[str, Any]]) -> str:
    """Return what refuses a challenger, in the training or at the gate; empty if it passes."""
    before = set(project.places.registry.versions())
    try:
        overrides = make(project)
        _write(project, _leads(), _later())
        version = max(set(project.places.registry.versions()) - before, key=int)
        other = open_project(project.places.root, overrides=overrides.get("gate", []))
        gated = other.gate(version)
    except LeadmlError as error:
        return str(error)
    return "" if gated.passes else gated.line


def _leads(seed: int = 1, **changed: Any) -> pd.DataFrame:
    leads = Stream(**changed).before(BEFORE, seed=seed)
    return _as_file(leads.assign(day=np.arange(BEFORE) * 80 // BEFORE - 80))


def _later() -> pd.DataFrame:
    return _as_file(Stream().days(DAYS, seed=2))


def _as_file(leads: pd.DataFrame) -> pd.DataFrame:
    created = (FIRST + pd.to_timedelta(leads["day"], unit="D")).dt.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    channel = np.where(np.arange(len(leads)) % 8 == 0, "fair", "web")
    return leads.drop(columns=["day", "probability"]).assign(created_at=created, channel=channel)


def _write(project: Project, *frames: pd.DataFrame) -> None:
    pd.concat(frames).to_csv(project.places.root / "leads.csv", index=False)


def _project(folder: Path) -> Project:
    """Return a project whose first version is in use."""
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    project = open_project(folder)
    _write(project, _leads())
    project.train()
    return project


def _train(project: Project, leads: pd.DataFrame, *overrides: str) -> dict[str, Any]:
    _write(project, leads)
    open_project(project.places.root, overrides=overrides).train(accept_weak=WEAK)
    return {}


def _shuffled(project: Project) -> dict[str, Any]:
    leads = _leads()
    return _train(project, leads.assign(converted=leads["converted"].sample(frac=1, random_state=0).to_numpy()))


def _leaked(project: Project) -> dict[str, Any]:
    leads = _leads()
    fit = {**PARAMS["features"]["fit"], "leak": "number"}
    overrides = (f"features.fit={json.dumps(fit)}", "leaks.accept={leak: a sabotage}")
    return _train(project, leads.assign(leak=leads["converted"]), *overrides)


def _with_calibrator(project: Project, calibrator: Calibrator) -> dict[str, Any]:
    bundle = project.model().bundle
    project.places.registry.add(replace(bundle, model=replace(bundle.model, calibrator=calibrator)))
    return {}


def _constant(project: Project) -> dict[str, Any]:
    return _with_calibrator(project, Calibrator(slope=1e-300, intercept=-2.0))


def _uncalibrated(project: Project) -> dict[str, Any]:
    return _with_calibrator(project, Calibrator(slope=2.0, intercept=0.5))


def _not_a_number(project: Project) -> dict[str, Any]:
    """Store a version whose file has no number where the intercept is, with hashes that agree."""
    _with_calibrator(project, Calibrator(slope=1.0, intercept=0.001))
    registry = project.places.registry
    folder = registry.path(registry.versions()[-1])
    text = (folder / "model.json").read_text(encoding="utf-8").replace('"intercept":0.001', '"intercept":NaN', 1)
    (folder / "model.json").write_text(text, encoding="utf-8", newline="")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["model.json"] = hashlib.sha256(text.encode()).hexdigest()
    written = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
    (folder / "manifest.json").write_text(written, encoding="utf-8", newline="")
    (folder / "manifest.sha256").write_text(hashlib.sha256(written.encode()).hexdigest() + "\n", newline="")
    return {}


def _wrong_features(project: Project) -> dict[str, Any]:
    fit = {**PARAMS["features"]["fit"], "gone": "number"}
    leads = _leads()
    return _train(project, leads.assign(gone=np.arange(len(leads)) % 7), f"features.fit={json.dumps(fit)}")


def _stale(project: Project) -> dict[str, Any]:
    leads = _leads()
    leads["created_at"] = (pd.to_datetime(leads["created_at"]) - pd.Timedelta(days=300)).dt.strftime(
        "%Y-%m-%dT%H:%M:%S+00:00"
    )
    return _train(project, leads)


def _one_class(project: Project) -> dict[str, Any]:
    return _train(project, _leads().assign(converted=0))


def _ten_rows(project: Project) -> dict[str, Any]:
    return _train(project, _leads().head(10))


def _broken_slice(project: Project) -> dict[str, Any]:
    leads = _leads()
    is_fair = (leads["channel"] == "fair").to_numpy()
    flipped = np.where(is_fair, 1 - leads["converted"], leads["converted"])
    return _train(project, leads.assign(converted=flipped), "split.seed=3")


def _slower(project: Project) -> dict[str, Any]:
    slow = [f"model.{choice}" for choice in ("leaves=[64]", "leaf_penalties=[0.1]", "half_lives=[0.0]")]
    slow += [f"model.{choice}" for choice in ("min_leads_per_leaf=5", "max_rounds=300", "learning_rate=0.02")]
    return _train(project, _leads(), *slow)


def _bigger(project: Project) -> dict[str, Any]:
    return _train(project, _leads(), "split.seed=4") | {"gate": ["gate.megabytes=0.05"]}


CASES: dict[str, tuple[Callable[[Project], dict[str, Any]], str]] = {
    "shuffled labels": (_shuffled, "surely worse"),
    "leaked": (_leaked, "leak, which is suspected of a leak"),
    "constant": (_constant, "it gives all leads the same probability"),
    "no numbers": (_not_a_number, "golden rows must score as they did"),
    "uncalibrated": (_uncalibrated, "surely worse calibrated"),
    "wrong features": (_wrong_features, "leads cannot be read for it"),
    "stale": (_stale, "before those of the version in use"),
    "one class": (_one_class, "0 leads of the rarer outcome"),
    "ten rows": (_ten_rows, "10 leads"),
    "broken slice": (_broken_slice, "surely worse for channel fair"),
    "slower": (_slower, "times as long"),
    "bigger": (_bigger, "megabytes"),
}

if __name__ == "__main__":
    sabotaged()
