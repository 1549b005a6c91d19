from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from tests.dated import crm, write_params

from leadml.bundle.contents import canonical_json, model_hash
from leadml.bundle.storage import FORMAT, current_machine, load_bundle, read_manifest, save_bundle
from leadml.errors import BundleError
from leadml.leads.sources.settings import settings_from_params
from leadml.leads.split import RandomSplit
from leadml.model.judge.evaluation import evaluate
from leadml.model.predict.explain import explain_leads
from leadml.params import load_params
from leadml.review.drift.training import training_profile

FILES = ("booster.txt", "model.json", "evaluation.json", "manifest.json", "manifest.sha256")


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
    """Change the files of a bundle, and write the hashes that fit them."""
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
    """Check that loading the bundle fails with a message in one line that names the folder."""
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_loaded_bundle_scores_and_explains_to_the_bit(bundle, saved, bank_leads):
    """With any number of threads the probabilities and points are the same after saving and loading."""
    expected = explain_leads(bundle.model, bundle.model.encoder.fields_of(bank_leads.frame))
    for threads in (0, 1, 2):
        model = load_bundle(saved, threads=threads)[0].model
        found = explain_leads(model, model.encoder.fields_of(bank_leads.frame))
        assert np.array_equal(model.predict(bank_leads.frame), expected.probability)
        assert np.array_equal(found.points, expected.points)


def test_a_loaded_bundle_is_what_was_saved(bundle, saved):
    """Every part is the same, and saving it again writes the same bytes."""
    again, manifest = load_bundle(saved)
    for name in ("target", "leads", "stages", "profile", "record"):
        assert getattr(again, name) == getattr(bundle, name)
    assert again.evaluation.to_json() == bundle.evaluation.to_json()
    pd.testing.assert_frame_equal(again.candidates, bundle.candidates)
    assert again.texts() == bundle.texts()
    assert manifest == read_manifest(saved)
    assert (manifest.target, manifest.cuts) == (bundle.target, bundle.stages.cuts)
    assert (manifest.dialect, manifest.record) == (bundle.leads.dialect, bundle.record)


def test_a_bundle_is_saved_without_the_label_of_its_contract(bundle, bank_contract, tmp_path):
    """Scoring must not ask for the column that says what became of a lead."""
    save_bundle(replace(bundle, leads=replace(bundle.leads, contract=bank_contract)), tmp_path)
    assert load_bundle(tmp_path)[0].leads.contract == replace(bank_contract, label=None)


def test_a_bundle_of_dated_leads_is_restored(bundle, tmp_path):
    """The target, the fields that are computed from activities, and the number of activities of each kind."""
    kinds = {"form": 2, "visit": 3}
    settings = settings_from_params(load_params(write_params(tmp_path / "project", crm()), []), "mql")
    leads = replace(bundle.leads, settings=settings, rows_by_kind=kinds)
    record = replace(bundle.record, data=replace(bundle.record.data, rows_by_kind=kinds))
    (tmp_path / "bundle").mkdir()
    save_bundle(replace(bundle, leads=leads, record=record), tmp_path / "bundle")

    assert load_bundle(tmp_path / "bundle")[0].leads == leads


def test_the_manifest_says_what_wrote_the_bundle(bundle, saved):
    """The version of leadml and of three libraries, the features of the processor, and the hash of every file."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    stored = json.loads((saved / "manifest.json").read_text(encoding="utf-8"))
    del stored["record"]

    assert stored == {
        "format": FORMAT,
        "target": "subscribed",
        "leadml": version("leadml"),
        "model_hash": bundle.model_hash,
        "cuts": [{"stage": "MQL", "probability": 0.2, "rule": "fixed at 0.2", "remark": ""}],
        "dialect": json.loads(canonical_json(asdict(bundle.leads.dialect))),
        "libraries": {name: version(name) for name in ("lightgbm", "numpy", "scipy")},
        "machine": [platform.machine(), *found],
        "files": {name: hashlib.sha256((saved / name).read_bytes()).hexdigest() for name in FILES[:3]},
    }
    assert current_machine() == {"libraries": stored["libraries"], "machine": stored["machine"]}


def test_a_model_is_made_once_of_the_same_files(saved, folder):
    """Its tables take most of the time of loading; how many threads predict makes no other tables."""
    model = load_bundle(saved)[0].model

    assert load_bundle(folder)[0].model.lookup is model.lookup
    assert load_bundle(saved, threads=1)[0].model.lookup is model.lookup


def test_trees_predict_with_the_threads_that_are_asked_for(saved):
    """With all of them where none is said."""
    assert load_bundle(saved)[0].model.trees.threads == 0
    assert load_bundle(saved, threads=2)[0].model.trees.threads == 2


@pytest.mark.slow
def test_the_model_hash_depends_on_the_model_alone(bundle, saved):
    """It is a hash of two files: neither the record of the training nor the evaluation changes it."""
    manifest = read_manifest(saved)
    other = evaluate([0, 1], [0.1, 0.4], draws=50)
    later = replace(bundle, record=replace(bundle.record, trained_at="2027-01-02T03:04:05+00:00"), evaluation=other)
    assert manifest.model_hash == bundle.model_hash == later.model_hash == model_hash(bundle.texts())
    assert replace(bundle, target="other").model_hash != bundle.model_hash
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)


@pytest.mark.slow
def test_a_rare_level_is_in_no_file(toy_leads, toy_fields, quick_params, bundle, tmp_path):
    """An email address among the levels of a category is not stored."""
    from leadml.model.fit.estimator import fit_model

    frame = toy_leads.copy()
    frame.loc[:4, "job"] = "ann@example.org"
    split = RandomSplit(quick_params.split)
    fitted = fit_model(frame, toy_fields, quick_params, split=split)
    profile = training_profile(fitted, frame, frame, cuts=bundle.stages.cuts, clock=None, slices=["job"])
    save_bundle(replace(bundle, model=fitted.model, profile=profile), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if b"ann@example.org" in path.read_bytes()] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_byte_is_refused(folder, name, seed):
    """One changed bit at any place of any file is found before the file is read further."""
    random = np.random.default_rng(seed)
    content = bytearray((folder / name).read_bytes())
    for place in (0, len(content) - 1, *random.integers(0, len(content), 3)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(0, 8))
        (folder / name).write_bytes(damaged)
        _refused(folder, f"{name.replace('.sha256', '.json')} is not as it was written")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.37, 0.9, 0.99999])
def test_a_truncated_file_is_refused(folder, name, share):
    """An empty file and one that ends anywhere are refused, and LightGBM does not end the process."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * share)])
    _refused(folder, f"{name.replace('.sha256', '.json')} is not as it was written")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder, name):
    """A bundle needs all of its files."""
    (folder / name).unlink()
    _refused(folder, f"must be a bundle, got none: {name}: No such file or directory")


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_a_file_s_place_is_refused(folder, name):
    """A file that cannot be read is refused."""
    (folder / name).unlink()
    (folder / name).mkdir()
    _refused(folder, f"must be a bundle, got none: {name}: Is a directory")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder, name):
    """A file of more than 256 MiB is not read into memory."""
    os.truncate(folder / name, 300 * 1024 * 1024)
    _refused(folder, f"{name}: must be at most 268,435,456 bytes, got 314,572,800")


def test_swapped_files_are_refused(folder):
    """Each file has its own hash."""
    (folder / "evaluation.json").write_bytes((folder / "model.json").read_bytes())
    _refused(folder, "evaluation.json is not as it was written")


@pytest.mark.parametrize("number", [0, 1, 3, FORMAT - 1, 99, "2", None])
def test_another_format_is_refused(folder, number):
    """The bundle was written by another version of leadml."""
    _reseal(folder, manifest=lambda stored: stored.update(format=number))
    _refused(folder, f"must have format {FORMAT}, got {number}; use the leadml that wrote it")


@pytest.mark.parametrize("content", [b"", b"{", b"nonsense", b"[" * 100_000, b'{"a": "\xff"}'])
def test_a_sealed_manifest_that_is_no_json_is_refused(folder, content):
    """A manifest whose seal fits must still be JSON."""
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")
    _refused(folder, r"manifest.json: must be JSON, got .+")


@pytest.mark.parametrize(("content", "name"), [("[1]", "list"), ("1", "int"), ("null", "NoneType")])
def test_a_sealed_manifest_that_is_no_object_is_refused(folder, content, name):
    """A JSON list, number or null is no manifest."""
    (folder / "manifest.json").write_text(content)
    (folder / "manifest.sha256").write_text(hashlib.sha256(content.encode()).hexdigest() + "\n")
    _refused(folder, f"manifest.json: must be a JSON object, got {name}")


@pytest.mark.parametrize("gap", [1e-3, 2e-9, 1e-12])
def test_a_wrong_golden_score_is_refused_on_the_same_machine(folder, gap):
    """A model whose scores have changed is not used, even if all hashes fit."""
    _reseal(folder, model=lambda stored: stored["golden"]["scores"].__setitem__(7, stored["golden"]["scores"][7] + gap))
    _refused(folder, f"golden rows must score as they did when it was written, got a difference of {gap:.3g}; retrain")


@pytest.mark.parametrize(("gap", "good"), [(1e-10, True), (1e-8, False)])
@pytest.mark.parametrize("where", [{"machine": ["another"]}, {"libraries": {"numpy": "9.9"}}])
def test_elsewhere_golden_scores_may_differ_by_a_billionth(folder, gap, good, where):
    """Other versions of libraries or another machine may round otherwise."""

    def shift(stored):
        stored["golden"]["scores"][0] += gap

    _reseal(folder, shift, lambda stored: stored.update(where))
    if good:
        assert load_bundle(folder)[0].target == "subscribed"
    else:
        _refused(folder, r"got a difference of 1e-08; retrain")


@pytest.mark.parametrize("scores", [[float("nan")] * 50, [0.5] * 49, [], ["high"] * 50], ids=["nan", "49", "0", "text"])
def test_golden_scores_that_are_no_probabilities_are_refused(folder, scores):
    """Scores that cannot be compared do not count as equal."""
    _reseal(folder, model=lambda stored: stored["golden"].update(scores=scores))
    _refused(folder, "golden rows must")


def test_a_bundle_without_golden_rows_is_refused(folder):
    """Nothing would be compared."""
    _reseal(folder, model=lambda stored: stored["golden"].update(rows={name: [] for name in stored["golden"]["rows"]}))
    _reseal(folder, model=lambda stored: stored["golden"].update(scores=[]))
    _refused(folder, "golden rows must")


@pytest.mark.parametrize("key", ["encoder", "holdout"])
def test_a_sealed_model_without_a_part_is_refused(folder, key):
    """The message names the missing part."""
    _reseal(folder, model=lambda stored: stored.pop(key))
    _refused(folder, key)


@pytest.mark.parametrize("key", ["files", "dialect", "libraries", "machine", "record"])
def test_a_sealed_manifest_without_a_part_is_refused(folder, key):
    """The message names the missing part."""
    _reseal(folder, manifest=lambda stored: stored.pop(key))
    _refused(folder, key)


def _seal(folder, content):
    """Write a manifest and the hash that fits it."""
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")


def _change_score(stored, by):
    stored["golden"]["scores"][7] += by


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            lambda folder: (folder / "evaluation.json").write_text("{}"),
            ": evaluation.json is not as it was written; use another version or train again",
        ),
        (
            lambda folder: (folder / "manifest.sha256").write_text("0" * 64 + "\n"),
            ": manifest.json is not as it was written; use another version or train again",
        ),
        (
            lambda folder: (folder / "evaluation.json").unlink(),
            ": must be a bundle, got none: evaluation.json: No such file or directory",
        ),
        (
            lambda folder: os.truncate(folder / "evaluation.json", 268_435_457),
            "/evaluation.json: must be at most 268,435,456 bytes, got 268,435,457",
        ),
        (
            lambda folder: _seal(folder, b""),
            "/manifest.json: must be JSON, got Expecting value: line 1 column 1 (char 0)",
        ),
        (lambda folder: _seal(folder, b"[1]"), "/manifest.json: must be a JSON object, got list"),
        (
            lambda folder: _reseal(folder, manifest=lambda stored: stored.update(format="a\nb")),
            f": must have format {FORMAT}, got a\\nb; use the leadml that wrote it, or train again",
        ),
        (
            lambda folder: _reseal(folder, manifest=lambda stored: stored.pop("files")),
            ": manifest.json must have all its parts, got files: Field required; use another version or train again",
        ),
        (
            lambda folder: _reseal(folder, model=lambda stored: stored.pop("encoder")),
            ": must have all parts of a model, got KeyError('encoder'); use another version or train again",
        ),
        (
            lambda folder: _reseal(folder, model=lambda stored: _change_score(stored, -1e-3)),
            ": golden rows must score as they did when it was written, got a difference of 0.001; retrain",
        ),
        (
            lambda folder: _reseal(folder, model=lambda stored: stored["golden"].update(scores=[1] * 50)),
            ": golden rows must score as they did when it was written, got a difference of inf; retrain",
        ),
    ],
    ids=[
        "changed file",
        "changed hash",
        "no file",
        "too large",
        "no JSON",
        "no object",
        "other format",
        "part of manifest",
        "part of model",
        "other score",
        "no score",
    ],
)
def test_a_refusal_says_what_must_hold_what_was_found_and_what_to_do(folder, damage, expected):
    """In one line that begins with the folder, or with the file in it."""
    damage(folder)
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    assert str(caught.value) == f"{folder}{expected}"
