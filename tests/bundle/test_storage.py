from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from leadml.bundle.storage import Bundle, canonical_json, load_bundle, model_hash, read_manifest, save_bundle
from leadml.errors import BundleError
from leadml.leads.read.files import Dialect
from leadml.leads.split import Holdout
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.intervals import Intervals
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.lead_model import LeadModel
from leadml.model.predict.reference import profile

FILES = ("booster.txt", "model.json", "tables.json", "evaluation.json", "manifest.json", "manifest.sha256")


@pytest.fixture(scope="module")
def bundle(bank_fitted, bank_leads, bank_contract):
    """Return the bundle of the bundled leads, with both parts at work."""
    return Bundle(
        target="subscribed",
        contract=bank_contract,
        dialect=Dialect(";", "utf-8", ",", ("unknown", "n/a")),
        model=LeadModel.of(
            bank_fitted.model.encoder,
            bank_fitted.model.linear,
            bank_fitted.model.trees,
            calibrator=Calibrator("beta", (0.9, 1.2, 0.1)),
            spread=Intervals(0.7, 0.9),
        ),
        stages={"cuts": []},
        holdout=Holdout(0.25, 3, 1_700_000_000_000_000),
        profile=profile(bank_leads.frame, bank_fitted.model.encoder),
        evaluation={"metrics": [{"metric": "ece", "value": 0.1, "low": None}]},
        facts={"trained_at": "2026-01-02T03:04:05+00:00"},
    )


@pytest.fixture(scope="module")
def saved(bundle, tmp_path_factory):
    """Return a folder that holds the bundle; a test must not change it."""
    folder = tmp_path_factory.mktemp("saved")
    save_bundle(bundle, folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """Return a copy to damage."""
    return shutil.copytree(saved, tmp_path / "bundle")


def _reseal(folder, model=None, manifest=None):
    """Change what a bundle says and give it the hashes that fit."""
    for change, name in ((model, "model.json"), (manifest, "manifest.json")):
        stored = json.loads((folder / name).read_text())
        if name == "manifest.json":
            stored["files"] = {
                file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in stored["files"]
            }
        if change:
            change(stored)
        (folder / name).write_text(json.dumps(stored))
    seal = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() + "\n"
    (folder / "manifest.sha256").write_text(seal)


def _refused(folder, message):
    """Load a bundle and see it refused in one line that names the folder."""
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_loaded_bundle_scores_and_explains_to_the_bit(bundle, saved, bank_leads):
    """Saved, then loaded, with any number of threads: the same probabilities and reasons."""
    expected = explain_leads(bundle.model, bundle.model.encoder.fields_of(bank_leads.frame))
    for threads in (0, 1, 2):
        model = load_bundle(saved, threads=threads).model
        found = explain_leads(model, model.encoder.fields_of(bank_leads.frame))
        assert np.array_equal(model.predict(bank_leads.frame), expected.probability)
        assert np.array_equal(found.points, expected.points)


def test_a_loaded_bundle_is_what_was_saved(bundle, saved):
    """Everything but the label comes back, and saving it again writes the same bytes."""
    again = load_bundle(saved)
    for name in ("target", "dialect", "stages", "holdout", "profile", "evaluation"):
        assert getattr(again, name) == getattr(bundle, name)
    assert again.contract == replace(bundle.contract, label=None)
    assert again.facts["trained_at"] == bundle.facts["trained_at"]
    assert again.texts() == bundle.texts()


def test_the_manifest_tells_the_model_from_its_history(bundle, saved):
    """The hash of a model is over its two files: neither dates nor the evaluation change it."""
    manifest = read_manifest(saved)
    later = replace(bundle, facts={"trained_at": "2027"}, evaluation={})
    assert manifest["model_hash"] == bundle.model_hash == later.model_hash == model_hash(bundle.texts())
    assert replace(bundle, target="other").model_hash != bundle.model_hash
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)


def test_a_rare_text_is_in_no_file(toy_leads, toy_fields, quick_params, bundle, tmp_path):
    """An address among the levels stays with its lead."""
    from leadml.model.fit.estimator import fit_model

    frame = toy_leads.copy()
    frame.loc[:4, "job"] = "ann@example.org"
    model = fit_model(frame, toy_fields, quick_params).model
    save_bundle(replace(bundle, model=model, profile=profile(frame, model.encoder)), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if b"ann@example.org" in path.read_bytes()] == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_byte_is_refused(folder, name, seed):
    """At any place of any file one changed bit is seen before anything is interpreted."""
    random = np.random.default_rng(seed)
    content = bytearray((folder / name).read_bytes())
    for at in (0, len(content) - 1, *random.integers(0, len(content), 3)):
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(random.integers(0, 8))
        (folder / name).write_bytes(damaged)
        _refused(folder, f"{name.replace('.sha256', '.json')} is not as it was written")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.37, 0.9, 0.99999])
def test_a_cut_off_file_is_refused(folder, name, share):
    """An empty file and one cut off anywhere are seen, and the process lives."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * share)])
    _refused(folder, f"{name.replace('.sha256', '.json')} is not as it was written")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder, name):
    """A folder without one of its files is no bundle."""
    (folder / name).unlink()
    _refused(folder, f"must be a bundle, got none: {name}: No such file or directory")


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_a_file_s_place_is_refused(folder, name):
    """What cannot be read is no bundle either."""
    (folder / name).unlink()
    (folder / name).mkdir()
    _refused(folder, f"must be a bundle, got none: {name}: Is a directory")


@pytest.mark.parametrize("name", FILES)
def test_a_file_too_large_to_be_one_is_refused_unread(folder, name):
    """A file of more than 256 MiB is not taken into memory."""
    os.truncate(folder / name, 300 * 1024 * 1024)
    _refused(folder, f"{name}: must be at most 268,435,456 bytes, got 314,572,800")


def test_swapped_files_are_refused(folder):
    """Each file has its own hash."""
    (folder / "evaluation.json").write_bytes((folder / "model.json").read_bytes())
    _refused(folder, "evaluation.json is not as it was written")


@pytest.mark.parametrize("number", [0, 1, 3, 99, "2", None])
def test_another_format_is_refused(folder, number):
    """A bundle of another leadml says so."""
    _reseal(folder, manifest=lambda stored: stored.update(format=number))
    _refused(folder, f"must have format 6, got {number}; use the leadml that wrote it")


@pytest.mark.parametrize("content", [b"", b"{", b"nonsense", b"[" * 100_000, b'{"a": "\xff"}'])
def test_a_sealed_manifest_that_is_no_json_is_refused(folder, content):
    """What a good seal covers must still be JSON."""
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")
    _refused(folder, r"manifest.json: must be JSON, got .+")


@pytest.mark.parametrize(("content", "kind"), [("[1]", "list"), ("1", "int"), ("null", "NoneType")])
def test_a_sealed_manifest_that_is_no_object_is_refused(folder, content, kind):
    """JSON of another kind is no manifest."""
    (folder / "manifest.json").write_text(content)
    (folder / "manifest.sha256").write_text(hashlib.sha256(content.encode()).hexdigest() + "\n")
    _refused(folder, f"manifest.json: must be a JSON object, got {kind}")


@pytest.mark.parametrize("gap", [1e-3, 2e-9, 1e-12])
def test_a_wrong_golden_score_is_refused_on_the_same_machine(folder, gap):
    """Even with hashes that fit, a model that scores other than it did is not used."""
    _reseal(folder, model=lambda stored: stored["golden"]["scores"].__setitem__(7, stored["golden"]["scores"][7] + gap))
    _refused(folder, f"golden rows must score as they did when it was written, got a difference of {gap:.3g}; retrain")


@pytest.mark.parametrize(("gap", "good"), [(1e-10, True), (1e-8, False)])
@pytest.mark.parametrize("where", [{"machine": ["another"]}, {"libraries": {"numpy": "9.9"}}])
def test_elsewhere_golden_scores_may_differ_by_a_billionth(folder, gap, good, where):
    """Other versions or another kind of machine may round otherwise, and no more than that."""

    def shift(stored):
        stored["golden"]["scores"][0] += gap

    _reseal(folder, shift, lambda stored: stored.update(where))
    if good:
        assert load_bundle(folder).target == "subscribed"
    else:
        _refused(folder, r"got a difference of 1e-08; retrain")


@pytest.mark.parametrize("scores", [[float("nan")] * 50, [0.5] * 49, [], ["high"] * 50], ids=["nan", "49", "0", "text"])
def test_golden_scores_that_are_none_are_refused(folder, scores):
    """Scores that cannot be compared do not pass for equal ones."""
    _reseal(folder, model=lambda stored: stored["golden"].update(scores=scores))
    _refused(folder, "golden rows must")


@pytest.mark.parametrize("key", ["encoder", "holdout"])
def test_a_sealed_model_without_a_part_is_refused(folder, key):
    """A part that is not there is named."""
    _reseal(folder, model=lambda stored: stored.pop(key))
    _refused(folder, key)


@pytest.mark.parametrize("key", ["files", "dialect"])
def test_a_sealed_manifest_without_a_part_is_refused(folder, key):
    """A part that is not there is named."""
    _reseal(folder, manifest=lambda stored: stored.pop(key))
    _refused(folder, key)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_canonical_json_refuses_what_json_cannot_say(value):
    """Numbers that are none would not come back."""
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        canonical_json({"value": value})


def test_canonical_json_has_one_spelling():
    """The order of keys does not count, and text stays text."""
    assert canonical_json({"b": "é", "a": [1, None]}) == '{"a":[1,null],"b":"é"}\n'
