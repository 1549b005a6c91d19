"""Save a bundle as a folder of text and JSON, and load it after checking its hashes.

A folder contains no code. Loading refuses a folder with a changed or missing byte before it interprets any file, and a
model that gives its golden rows (stored example leads) other scores than when it was saved.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.bundle.contents import BOOSTER, EVALUATION, FILES, MODEL, Bundle, canonical_json, model_hash
from leadml.bundle.manifest import Manifest
from leadml.bundle.profile import Profile
from leadml.errors import BundleError, inert
from leadml.leads.check.contract import Contract
from leadml.leads.sources.settings import settings_from_json
from leadml.leads.sources.source import LeadSpec
from leadml.leads.split import Holdout
from leadml.model.judge.evaluation import Evaluation
from leadml.model.judge.null_interval import Reference
from leadml.model.parts.trees import Trees
from leadml.model.predict.lead_model import LeadModel
from leadml.model.predict.reference import golden_frame
from leadml.stages.plan import StagePlan

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 14  # rises by 1 when files change, so that another leadml refuses them with one sentence
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.sha256"
LARGEST_FILE = 256 * 1024 * 1024  # about 200 times all files of the bank's campaigns (compare.py); read whole
KEPT_MODELS = 2  # in memory, each with its files and tables of at most 64 MB: the one in use and its challenger
LIBRARIES = ("lightgbm", "numpy", "scipy")
GOLDEN_TOLERANCE = 1e-9  # decision 3: other machines add up in another order; probabilities are shown to 0.001


def current_machine() -> dict[str, Any]:
    """Return versions of libraries and features of the processor; where they are equal, scores are equal to the bit."""
    config: Any = np.show_config(mode="dicts")
    simd = config["SIMD Extensions"].get("found", [])
    return {"libraries": {name: version(name) for name in LIBRARIES}, "machine": [platform.machine(), *simd]}


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into an empty folder and wait until it is on the disk.

    Parameters
    ----------
    bundle
        The bundle to write.
    folder
        An existing, empty folder.
    """
    texts = bundle.texts()
    machine = current_machine()
    manifest = Manifest(
        format=FORMAT,
        target=bundle.target,
        leadml=version("leadml"),
        model_hash=model_hash(texts),
        cuts=bundle.stages.cuts,
        dialect=bundle.leads.dialect,
        record=bundle.record,
        libraries=machine["libraries"],
        machine=tuple(machine["machine"]),
        files={name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
    )
    manifest_text = canonical_json(manifest.to_json())
    manifest_hash = hashlib.sha256(manifest_text.encode()).hexdigest() + "\n"
    for name, text in {**texts, MANIFEST: manifest_text, MANIFEST_HASH: manifest_hash}.items():
        with (folder / name).open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a bundle, after its hash was checked.

    Raises
    ------
    BundleError
        If the folder is no bundle, the hash does not match, or another version of leadml wrote it.
    """
    content = _read(folder, MANIFEST)
    if _read(folder, MANIFEST_HASH) != (hashlib.sha256(content).hexdigest() + "\n").encode():
        raise BundleError(_changed(folder, MANIFEST))
    stored = _parse(folder, MANIFEST, content)
    if stored.get("format") != FORMAT:
        msg = (
            f"{folder}: must have format {FORMAT}, got {inert(stored.get('format'))}; use the leadml that wrote it, or "
            "train again"
        )
        raise BundleError(msg)
    try:
        return Manifest.from_json(stored)
    except ValueError as error:
        msg = f"{folder}: {MANIFEST} must have all its parts, got {inert(error)}; use another version or train again"
        raise BundleError(msg) from None


def verify_files(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Return the manifest and the files of a bundle, after every hash was checked; only the manifest is parsed.

    Raises
    ------
    BundleError
        If a file was changed.
    """
    manifest = read_manifest(folder)
    contents = {name: _read(folder, name) for name in FILES}
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
            raise BundleError(_changed(folder, name))
    return manifest, contents


def load_bundle(folder: Path, *, threads: int = 0) -> tuple[Bundle, Manifest]:
    """Return the bundle of a folder, and its manifest.

    Hashes are checked first, then JSON is parsed, and last the golden rows are scored. LightGBM, which would end the
    process on damaged text, parses only trees that have no lookup tables.

    Parameters
    ----------
    folder
        The folder of a bundle.
    threads
        Number of threads that predict; 0 for all.

    Raises
    ------
    BundleError
        If a file was changed, or the golden rows get other scores.
    """
    manifest, contents = verify_files(folder)
    stored, evaluation = (_parse(folder, name, contents[name]) for name in (MODEL, EVALUATION))
    try:
        model = read_model(contents[MODEL], contents[BOOSTER])
        model = replace(model, trees=replace(model.trees, threads=threads))
        bundle = _bundle(manifest, model, stored, evaluation)
        difference = _golden_difference(model, stored["golden"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"{folder}: must have all parts of a model, got {inert(repr(error))}; use another version or train again"
        raise BundleError(msg) from None
    if not difference <= (0.0 if _same_machine(manifest) else GOLDEN_TOLERANCE):
        msg = (
            f"{folder}: golden rows must score as they did when it was written, got a difference of {difference:.3g}; "
            "retrain"
        )
        raise BundleError(msg)
    return bundle, manifest


@lru_cache(maxsize=KEPT_MODELS)
def read_model(stored: bytes, trees: bytes) -> LeadModel:
    """Return the model of two files; jobs that judge or promote versions load the same one several times."""
    return LeadModel.from_json(json.loads(stored), Trees(trees.decode()))


def _bundle(manifest: Manifest, model: LeadModel, stored: dict[str, Any], evaluation: dict[str, Any]) -> Bundle:
    leads = LeadSpec(
        contract=Contract.from_json(stored["contract"]),
        settings=settings_from_json(stored["as_of"]),
        dialect=manifest.dialect,
        holdout=Holdout(**stored["holdout"]),
        rows_by_kind=manifest.record.data.rows_by_kind,
    )
    return Bundle(
        target=stored["target"],
        leads=leads,
        model=model,
        stages=StagePlan.from_json(stored["stages"]),
        profile=Profile.from_json(stored["profile"]),
        evaluation=Evaluation.from_json(evaluation),
        reference=Reference.from_json(stored["reference"]),
        candidates=pd.DataFrame(evaluation["candidates"]),
        record=manifest.record,
    )


def _golden_difference(model: LeadModel, golden: dict[str, Any]) -> float:
    """Return the largest absolute difference between the stored and the present scores of the golden rows."""
    scores = model.predict(golden_frame(golden["rows"], model.encoder))
    stored = golden["scores"]
    if not stored or len(stored) != len(scores) or not all(isinstance(score, float) for score in stored):
        return float("inf")
    return float(np.abs(scores - np.array(stored)).max())


def _same_machine(manifest: Manifest) -> bool:
    machine = current_machine()
    return (manifest.libraries, list(manifest.machine)) == (machine["libraries"], machine["machine"])


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.stat().st_size > LARGEST_FILE:
            msg = f"{path}: must be at most {LARGEST_FILE:,} bytes, got {path.stat().st_size:,}"
            raise BundleError(msg)
        return path.read_bytes()
    except OSError as error:
        msg = f"{folder}: must be a bundle, got none: {name}: {error.strerror}"
        raise BundleError(msg) from None


def _parse(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = f"{folder / name}: must be JSON, got {inert(error)}"
        raise BundleError(msg) from None
    if not isinstance(parsed, dict):
        msg = f"{folder / name}: must be a JSON object, got {type(parsed).__name__}"
        raise BundleError(msg)
    return parsed


def _changed(folder: Path, name: str) -> str:
    return f"{folder}: {name} is not as it was written; use another version or train again"
