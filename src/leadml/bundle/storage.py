"""Keep a bundle as a folder that is believed only when every byte of it is as it was written.

A folder of text and JSON: nothing in it is code. One with a byte changed or missing is refused before anything of it is
interpreted, and so is a model that does not score its golden rows as it did.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.bundle.contents import BOOSTER, EVALUATION, FILES, MODEL, TABLES, Bundle, canonical_json, model_hash
from leadml.bundle.manifest import Manifest
from leadml.errors import BundleError, inert
from leadml.leads.check.contract import Contract
from leadml.leads.sources.settings import settings_from_json
from leadml.leads.sources.source import LeadSpec
from leadml.leads.split import Holdout
from leadml.model.judge.evaluation import Evaluation
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart
from leadml.model.parts.lookup import Lookup
from leadml.model.parts.trees import Trees
from leadml.model.predict.lead_model import LeadModel
from leadml.model.predict.reference import FieldProfile, golden_frame
from leadml.stages.lifecycle import StagePlan

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 7
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
LARGEST_FILE = 256 * 1024 * 1024
LIBRARIES = ("lightgbm", "numpy", "scipy")
TOLERANCE = 1e-9


def this_machine() -> dict[str, Any]:
    """Return the versions and the kind of machine on which scores are the same to the bit."""
    found: Any = np.show_config(mode="dicts")
    simd = found["SIMD Extensions"].get("found", [])
    return {"libraries": {name: version(name) for name in LIBRARIES}, "machine": [platform.machine(), *simd]}


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a new folder and bring it to the disk; the caller gives the folder its place.

    Parameters
    ----------
    bundle
        What to write.
    folder
        A folder that is there and empty.
    """
    texts = bundle.texts()
    here = this_machine()
    manifest = Manifest(
        format=FORMAT,
        target=bundle.target,
        leadml=version("leadml"),
        model_hash=model_hash(texts),
        cuts=bundle.stages.cuts,
        dialect=bundle.leads.dialect,
        record=bundle.record,
        libraries=here["libraries"],
        machine=tuple(here["machine"]),
        files={name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
    )
    sealed = canonical_json(manifest.to_json())
    seal = hashlib.sha256(sealed.encode()).hexdigest() + "\n"
    for name, text in {**texts, MANIFEST: sealed, SEAL: seal}.items():
        with (folder / name).open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Return a bundle's manifest after its seal has been checked.

    Raises
    ------
    BundleError
        Where the folder is no bundle, the seal does not fit, or another leadml wrote it.
    """
    sealed = _read(folder, MANIFEST)
    if _read(folder, SEAL) != (hashlib.sha256(sealed).hexdigest() + "\n").encode():
        raise BundleError(_changed(folder, MANIFEST))
    stored = _parse(folder, MANIFEST, sealed)
    if stored.get("format") is True or stored.get("format") != FORMAT:
        msg = (
            f"{folder}: must have format {FORMAT}, got {inert(stored.get('format'))}; use the leadml that wrote it, or "
            "train again"
        )
        raise BundleError(msg)
    try:
        return Manifest.from_json(stored)
    except ValueError as error:
        msg = f"{folder}: {MANIFEST} must hold all its parts, got {inert(error)}; use another version or train again"
        raise BundleError(msg) from None


def verify_files(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Return a bundle's manifest and files after every hash has been checked; nothing is interpreted but JSON.

    Raises
    ------
    BundleError
        Where any byte is not as it was written.
    """
    manifest = read_manifest(folder)
    raw = {name: _read(folder, name) for name in FILES}
    for name, content in raw.items():
        if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
            raise BundleError(_changed(folder, name))
    return manifest, raw


def load_bundle(folder: Path, *, threads: int = 0) -> tuple[Bundle, Manifest]:
    """Return the bundle of a folder, and its manifest.

    Hashes first, then JSON, last the golden rows. LightGBM, which would end the process on a damaged text, is asked
    only where there are no tables.

    Parameters
    ----------
    folder
        A bundle.
    threads
        How many threads predict; 0 for all.

    Raises
    ------
    BundleError
        Where any byte is not as it was written, or the golden rows do not score as they did.
    """
    manifest, raw = verify_files(folder)
    stored, tables, evaluation = (_parse(folder, name, raw[name]) for name in (MODEL, TABLES, EVALUATION))
    try:
        model = _model(stored, Trees(raw[BOOSTER].decode(), threads), Lookup.from_json(tables))
        bundle = _bundle(manifest, model, stored, evaluation)
        gap = _golden_gap(model, stored["golden"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"{folder}: must hold all parts of a model, got {inert(repr(error))}; use another version or train again"
        raise BundleError(msg) from None
    if not gap <= (0.0 if _same_machine(manifest) else TOLERANCE):
        msg = (
            f"{folder}: golden rows must score as they did when it was written, got a difference of {gap:.3g}; retrain"
        )
        raise BundleError(msg)
    return bundle, manifest


def _model(stored: dict[str, Any], trees: Trees, lookup: Lookup) -> LeadModel:
    return LeadModel(
        Encoder.from_json(stored["encoder"]),
        LinearPart.from_json(stored["linear"]),
        trees,
        Calibrator.from_json(stored["calibrator"]),
        Intervals(**stored["intervals"]),
        lookup,
    )


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
        profile={name: FieldProfile(**profile) for name, profile in stored["profile"].items()},
        evaluation=Evaluation.from_json(evaluation),
        candidates=pd.DataFrame(evaluation["candidates"]),
        record=manifest.record,
    )


def _golden_gap(model: LeadModel, golden: dict[str, Any]) -> float:
    """Return the largest difference of the golden rows' scores to those that were stored; NaN is no score."""
    scores = model.predict(golden_frame(golden["rows"], model.encoder))
    stored = golden["scores"]
    if len(stored) != len(scores) or not all(isinstance(score, float) for score in stored):
        return float("inf")
    return float(np.abs(scores - np.array(stored)).max(initial=0.0))


def _same_machine(manifest: Manifest) -> bool:
    here = this_machine()
    return (manifest.libraries, list(manifest.machine)) == (here["libraries"], here["machine"])


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
