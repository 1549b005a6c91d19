"""Keep a model as a folder that is believed only when every byte of it is as it was written.

What enters is a fitted model and what belongs to it; what leaves is a folder of text and JSON, and from such a folder
the same model again.
It refuses a folder with a byte changed or missing before anything of it is interpreted, and a model that does not
score its golden rows as it did; nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import BundleError, inert
from leadml.leads.check.contract import Contract
from leadml.leads.read.files import Dialect
from leadml.leads.split import Holdout
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.encode import Encoder
from leadml.model.parts.intervals import Intervals
from leadml.model.parts.linear import LinearPart
from leadml.model.parts.lookup import Lookup
from leadml.model.parts.trees import Trees
from leadml.model.predict.lead_model import LeadModel
from leadml.model.predict.reference import golden_frame, golden_rows

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 6
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
BOOSTER, MODEL, TABLES, EVALUATION = "booster.txt", "model.json", "tables.json", "evaluation.json"
FILES = (BOOSTER, MODEL, TABLES, EVALUATION)
LARGEST_FILE = 256 * 1024 * 1024
LIBRARIES = ("lightgbm", "numpy", "scipy")
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Bundle:
    """A model and all that is needed to use and to judge it.

    Parameters
    ----------
    target
        Name of what is predicted.
    contract
        The columns that leads must have.
    dialect
        How the files it was trained on are written.
    model
        The model.
    stages
        Cuts and grade bands as plain data; the stages room reads them.
    holdout
        The rule by which leads were kept aside.
    profile
        What the leads it was fitted on looked like.
    evaluation
        The evaluation as plain data.
    facts
        Dates, hashes, versions and counts for the manifest: what happened, not what scores.
    outlook
        What is predicted of dated leads and what is computed from activities, as plain data; None of flat leads.
    """

    target: str
    contract: Contract
    dialect: Dialect
    model: LeadModel
    stages: dict[str, Any]
    holdout: Holdout
    profile: dict[str, Any]
    evaluation: dict[str, Any]
    facts: dict[str, Any]
    as_of_settings: dict[str, Any] | None = None

    def texts(self) -> dict[str, str]:
        """Return the files that are the model and its evaluation: the same data and choices make the same bytes."""
        golden = golden_rows(self.profile, self.model.encoder)
        scores = self.model.predict(golden_frame(golden, self.model.encoder)).tolist()
        model = {
            "target": self.target,
            "contract": self.contract.to_json(),
            "encoder": self.model.encoder.to_json(),
            "linear": self.model.linear.to_json(),
            "calibrator": self.model.calibrator.to_json(),
            "spread": self.model.spread.to_json(),
            "stages": self.stages,
            "holdout": {"share": self.holdout.share, "seed": self.holdout.seed, "since": self.holdout.since},
            "profile": self.profile,
            "outlook": self.as_of_settings,
            "golden": {"rows": golden, "scores": scores},
        }
        return {
            BOOSTER: self.model.trees.text,
            MODEL: canonical_json(model),
            TABLES: canonical_json(self.model.lookup.to_json()),
            EVALUATION: canonical_json(self.evaluation),
        }

    @property
    def model_hash(self) -> str:
        """SHA-256 over the trees and ``model.json``: the same for the same data and choices."""
        return model_hash(self.texts())


def canonical_json(plain: object) -> str:
    r"""Return plain data as JSON with one spelling.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": 0.1})
    '{"a":0.1,"b":1}\n'
    """
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def model_hash(texts: dict[str, str]) -> str:
    """Return the hash of a model's two files."""
    both = hashlib.sha256(texts[BOOSTER].encode())
    both.update(texts[MODEL].encode())
    return both.hexdigest()


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
    manifest = {
        **bundle.facts,
        **this_machine(),
        "format": FORMAT,
        "target": bundle.target,
        "leadml": version("leadml"),
        "model_hash": model_hash(texts),
        "dialect": {
            "delimiter": bundle.dialect.delimiter,
            "encoding": bundle.dialect.encoding,
            "decimal": bundle.dialect.decimal,
            "missing": list(bundle.dialect.missing),
        },
        "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
    }
    sealed = canonical_json(manifest)
    seal = hashlib.sha256(sealed.encode()).hexdigest() + "\n"
    for name, text in {**texts, MANIFEST: sealed, SEAL: seal}.items():
        with (folder / name).open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a bundle's manifest after its seal has been checked.

    Raises
    ------
    BundleError
        Where the folder is no bundle, the seal does not fit, or a newer leadml wrote it.
    """
    sealed = _read(folder, MANIFEST)
    if _read(folder, SEAL) != (hashlib.sha256(sealed).hexdigest() + "\n").encode():
        raise BundleError(_changed(folder, MANIFEST))
    manifest = _parse(folder, MANIFEST, sealed)
    if manifest.get("format") is True or manifest.get("format") != FORMAT:
        msg = f"{folder}: must have format {FORMAT}, got {inert(manifest.get('format'))}; use the leadml that wrote it"
        raise BundleError(msg)
    return manifest


def verify_files(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a bundle's manifest and files after every hash has been checked; nothing is interpreted but JSON.

    Raises
    ------
    BundleError
        Where any byte is not as it was written.
    """
    manifest = read_manifest(folder)
    raw = {name: _read(folder, name) for name in FILES}
    hashes = manifest.get("files")
    if not isinstance(hashes, dict):
        msg = f"{folder}: {MANIFEST} must name its files, got none; use another version or train again"
        raise BundleError(msg)
    for name, content in raw.items():
        if hashlib.sha256(content).hexdigest() != hashes.get(name):
            raise BundleError(_changed(folder, name))
    return manifest, raw


def load_bundle(folder: Path, *, threads: int = 0) -> Bundle:
    """Return the bundle of a folder.

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
    stored = _parse(folder, MODEL, raw[MODEL])
    tables, evaluation = (_parse(folder, name, raw[name]) for name in (TABLES, EVALUATION))
    try:
        lookup = Lookup.from_json(tables)
        bundle = _assemble(manifest, stored, evaluation, (Trees(raw[BOOSTER].decode(), threads), lookup))
        gap = _golden_gap(bundle.model, stored["golden"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"{folder}: must hold all parts of a model, got {inert(repr(error))}; use another version or train again"
        raise BundleError(msg) from None
    if not gap <= (0.0 if _same_machine(manifest) else TOLERANCE):
        msg = (
            f"{folder}: golden rows must score as they did when it was written, got a difference of {gap:.3g}; retrain"
        )
        raise BundleError(msg)
    return bundle


def _assemble(
    manifest: dict[str, Any], stored: dict[str, Any], evaluation: dict[str, Any], read: tuple[Trees, Lookup]
) -> Bundle:
    dialect, (trees, lookup) = manifest["dialect"], read
    model = LeadModel(
        Encoder.from_json(stored["encoder"]),
        LinearPart.from_json(stored["linear"]),
        trees,
        Calibrator.from_json(stored["calibrator"]),
        Intervals(**stored["spread"]),
        lookup,
    )
    return Bundle(
        target=stored["target"],
        contract=Contract.from_json(stored["contract"]),
        dialect=Dialect(dialect["delimiter"], dialect["encoding"], dialect["decimal"], tuple(dialect["missing"])),
        model=model,
        stages=stored["stages"],
        holdout=Holdout(**stored["holdout"]),
        profile=stored["profile"],
        evaluation=evaluation,
        facts=manifest,
        as_of_settings=stored["outlook"],
    )


def _golden_gap(model: LeadModel, golden: dict[str, Any]) -> float:
    """Return the largest difference of the golden rows' scores to those that were stored; NaN is no score."""
    scores = model.predict(golden_frame(golden["rows"], model.encoder))
    stored = golden["scores"]
    if len(stored) != len(scores) or not all(isinstance(score, float) for score in stored):
        return float("inf")
    return float(np.abs(scores - np.array(stored)).max(initial=0.0))


def _same_machine(manifest: dict[str, Any]) -> bool:
    here = this_machine()
    return all(manifest.get(name) == here[name] for name in here)


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
