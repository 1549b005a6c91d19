"""Benchmarks that are too slow for every day still run, on few leads; kept results say whether they may be old."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "benchmarks"


def _last_line(*words: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, *words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_features_are_measured() -> None:
    """A tenth, a third and all of some thousand leads, each in one snapshot."""
    found = _last_line(str(FOLDER / "features.py"), "--leads", "3000")

    assert (found["leads"], found["sizes"][-1]["looked"]) == (3000, 3000)
    assert found["activities"] > 3000
    assert found["peak_memory_gb"] > 0


@pytest.mark.parametrize("name", sorted(path.stem for path in (FOLDER / "results").glob("*.json")))
def test_kept_figures_are_shown_as_kept(name: str) -> None:
    """Nothing is run, and the last line is what was kept."""
    kept = json.loads((FOLDER / "results" / f"{name}.json").read_text(encoding="utf-8"))["figures"]

    assert _last_line(str(FOLDER / f"{name}.py"), "--recorded") == kept


FILES = {
    "project/src/leadml/__init__.py": "",
    "project/src/leadml/part/sum.py": "import beside\ndef _late():\n    from leadml.part import late\n",
    "project/src/beside/__init__.py": "",
    "project/src/leadml/part/late.py": "",
    "project/src/leadml/part/other.py": "",
    "project/benchmarks/tiny.py": """
from pathlib import Path
from direct import VALUE
from measure import data_folder, finish, options
files = (Path(__file__).parents[1] / "params.yaml", "beside.csv", "absent.csv")
chosen = options("Tiny.", "tiny", files, data=data_folder(), peers=Path(), seeds=1, deep=False)
print("what is printed first")
finish("tiny", {"value": VALUE}, chosen)
""",
    "project/benchmarks/long.py": """
from direct import VALUE
from measure import finish, options
chosen = options("Long.", "long", in_parts=True, only="")
finish("long", chosen.kept | {part: VALUE for part in ("first", "second") if chosen.only in {"", part}}, chosen)
""",
    "project/benchmarks/direct.py": "def _late():\n    import through\nVALUE = 2.5\n",
    "project/benchmarks/through.py": """
from leadml.part.sum import _late
if TYPE_CHECKING:
    from leadml.part.other import Type
""",
    "project/benchmarks/unrelated.py": "",
    "project/params.yaml": "target: sql\n",
    "shared/data/beside.csv": "a,b\n1,2\n",
}
LAYOUT = """
LAYOUTS = {
    "tiny": Layout(
        "A tiny result", "none", (Grid(("figure", ""), (("value", "{value:.1f}"), ("absent", "{absent}"))),),
        notes="It is {value}.", words="--deep", earlier="It is old.",
    )
}
"""
CODE = "the code of leadml that it uses has changed since this result was made\n"
SCRIPT = "the script, or one that it imports, has changed since this result was made\n"
DATA = "the data ({}) has changed since this result was made\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a small project that keeps the result of one benchmark, and with data beside it."""
    _write(tmp_path)
    _tiny(tmp_path, "--keep", "--seeds", "3")
    return tmp_path


def _write(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("measure.py", "reach.py"):
        shutil.copy(FOLDER / name, folder / "project" / "benchmarks")


def _tiny(folder: Path, *words: str, name: str = "tiny", check: bool = True) -> subprocess.CompletedProcess[str]:
    project = folder / "project"
    return subprocess.run(
        [sys.executable, project / "benchmarks" / f"{name}.py", *words],
        capture_output=True,
        text=True,
        check=check,
        env=os.environ | {"PYTHONPATH": str(project / "src")},
    )


def _kept(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_result(folder).read_text(encoding="utf-8"))
    return found


def _result(folder: Path) -> Path:
    return folder / "project" / "benchmarks" / "results" / "tiny.json"


def test_nothing_is_said_where_nothing_has_changed(place: Path) -> None:
    """The last line is the kept figures and stderr is empty, also after changes that have no part in the result."""
    modules = (f"src/{name}.py" for name in ("leadml/part/other", "leadml/new", "beside/__init__"))
    for name in ("benchmarks/unrelated.py", "benchmarks/measure.py", *modules):
        with (place / "project" / name).open("a", encoding="utf-8") as file:
            file.write("# changed\n")
    shown = _tiny(place, "--recorded")

    assert shown.stdout.splitlines()[-1] == '{"value": 2.5}'
    assert "what is printed first" not in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("project/src/leadml/part/sum.py", CODE),
        ("project/src/leadml/part/late.py", CODE),
        ("project/benchmarks/tiny.py", SCRIPT),
        ("project/benchmarks/direct.py", SCRIPT),
        ("project/benchmarks/through.py", SCRIPT),
        ("project/params.yaml", DATA.format("params.yaml")),
        ("shared/data/beside.csv", DATA.format("beside.csv")),
        ("shared/data/absent.csv", DATA.format("absent.csv")),
    ],
)
def test_each_kind_of_change_is_said_in_a_line(place: Path, name: str, said: str) -> None:
    """On stderr; the figures are shown as before."""
    with (place / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    shown = _tiny(place, "--recorded")

    assert shown.stderr == said
    assert shown.stdout.splitlines()[-1] == '{"value": 2.5}'


def test_a_module_that_was_renamed_is_a_change(place: Path) -> None:
    """The hash of the code covers where each file is."""
    part = place / "project" / "src" / "leadml" / "part"
    (part / "sum.py").rename(part / "total.py")

    assert _tiny(place, "--recorded").stderr == CODE


@pytest.mark.parametrize("words", ["import leadml", "from leadml import name", "import subprocess"])
def test_what_may_lead_anywhere_uses_all_code(tmp_path: Path, words: str) -> None:
    """A script that imports the package itself, or starts processes, may use every module."""
    _write(tmp_path)
    with (tmp_path / "project" / "benchmarks" / "direct.py").open("a", encoding="utf-8") as file:
        file.write(f"def _all():\n    {words}\n")
    _tiny(tmp_path, "--keep")
    (tmp_path / "project" / "src" / "leadml" / "new.py").touch()

    assert _tiny(tmp_path, "--recorded").stderr == CODE


def test_absent_data_are_not_called_changed(place: Path) -> None:
    """They could not be compared."""
    (place / "shared" / "data" / "beside.csv").unlink()

    assert _tiny(place, "--recorded").stderr == "the data could not be compared: beside.csv cannot be found\n"


def test_a_result_without_hashes_may_be_old(place: Path) -> None:
    """Results that were kept before there were hashes are shown, with the doubt."""
    kept = _kept(place)
    del kept["made_with"]
    _result(place).write_text(json.dumps(kept), encoding="utf-8")
    shown = _tiny(place, "--recorded")

    assert shown.stderr == "this result holds no hash of what made it, so it may be older than the code\n"
    assert shown.stdout.splitlines()[-1] == '{"value": 2.5}'


def test_what_made_a_result_is_the_same_in_another_place(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hashes are of contents: no path of the machine and no time is in a result."""
    other = tmp_path_factory.mktemp("other")
    _write(other)
    _tiny(other, "--keep", "--seeds", "3", "--peers", sys.executable)
    one, two = _kept(place)["made_with"], _kept(other)["made_with"]

    assert {name: one[name] for name in ("code", "script", "data")} == {
        name: two[name] for name in ("code", "script", "data")
    }
    assert one["data"]["absent.csv"] is None
    assert one["arguments"] == {"data": "DIR", "deep": False, "seeds": 3}
    assert two["arguments"] == one["arguments"] | {"peers": "PYTHON"}
    assert sys.executable not in _result(other).read_text(encoding="utf-8")
    assert str(other) not in _result(other).read_text(encoding="utf-8")


def test_data_that_were_packed_otherwise_are_the_same_data(tmp_path: Path) -> None:
    """Of a file that ends in .gz the unpacked content counts."""
    _write(tmp_path)
    tiny, packed = (tmp_path / name for name in ("project/benchmarks/tiny.py", "shared/data/beside.csv.gz"))
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("beside.csv", "beside.csv.gz"), encoding="utf-8")
    packed.write_bytes(gzip.compress(b"a,b", compresslevel=9, mtime=1))
    _tiny(tmp_path, "--keep")
    packed.write_bytes(gzip.compress(b"a,b", compresslevel=1, mtime=2))

    assert _tiny(tmp_path, "--recorded").stderr == ""


def test_a_file_of_the_project_must_be_there(place: Path) -> None:
    """A name that is mistyped in a script is not taken for data that are absent."""
    (place / "project" / "params.yaml").unlink()

    with pytest.raises(subprocess.CalledProcessError) as refused:
        _tiny(place, "--keep")

    assert "FileNotFoundError" in refused.value.stderr
    assert "params.yaml" in refused.value.stderr


def test_without_shared_data_the_bundled_folder_is_the_default(place: Path) -> None:
    """Nothing needs the folder beside the project."""
    shutil.rmtree(place / "shared")
    raw = place / "project" / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / "beside.csv").write_text(FILES["shared/data/beside.csv"], encoding="utf-8")

    assert _tiny(place, "--recorded").stderr == ""


def test_a_result_is_kept_part_by_part(tmp_path: Path) -> None:
    """Parts that are kept one after the other are what a run of all keeps, with the same hashes."""
    _write(tmp_path)
    kept = tmp_path / "project" / "benchmarks" / "results" / "long.json"
    for part in ("first", "second"):
        _tiny(tmp_path, "--keep", "--only", part, name="long")
    by_parts = kept.read_bytes()
    _tiny(tmp_path, "--keep", name="long")

    assert kept.read_bytes() == by_parts
    assert json.loads(by_parts)["figures"] == {"first": 2.5, "second": 2.5}


def test_a_part_is_not_added_to_what_other_code_made(tmp_path: Path) -> None:
    """It is said before anything is measured; a run of all parts replaces what is kept."""
    _write(tmp_path)
    _tiny(tmp_path, "--keep", "--only", "first", name="long")
    with (tmp_path / "project" / "src" / "leadml" / "part" / "sum.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    refused = _tiny(tmp_path, "--keep", "--only", "second", name="long", check=False)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("benchmarks/results/long.json was made by other code, arguments or libraries")
    _tiny(tmp_path, "--keep", name="long")


@pytest.fixture
def pages(place: Path) -> Path:
    """Return the folder of a small project that has a page of what was measured."""
    docs = place / "project" / "docs"
    docs.mkdir()
    for name in ("write_measured.py", "measured_layouts.py"):
        shutil.copy(FOLDER.parent / "docs" / name, docs)
    with (docs / "measured_layouts.py").open("a", encoding="utf-8") as file:
        file.write(LAYOUT)
    assert _page(place).returncode == 0
    return place


def _page(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    project = folder / "project"
    return subprocess.run(
        [sys.executable, project / "docs" / "write_measured.py", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(project / "src")},
    )


def _text(folder: Path) -> str:
    return (folder / "project" / "docs" / "measured.md").read_text(encoding="utf-8")


def test_the_page_shows_figures_command_and_hashes(pages: Path) -> None:
    """What was not measured has no row, and what a result holds itself is not taken from its layout."""
    text, made = _text(pages), _kept(pages)["made_with"]

    assert "| figure |  |\n| --- | ---: |\n| value | 2.5 |\n\nIt is 2.5.\n" in text
    assert "`python benchmarks/tiny.py --data DIR --seeds 3`" in text
    assert f"leadml {made['code'][:12]}, script {made['script'][:12]}" in text
    assert f"`params.yaml` {made['data']['params.yaml'][:12]}" in text
    assert "`absent.csv` absent" in text
    assert "old" not in text.split("## A tiny result")[1].lower()


def test_the_page_marks_what_is_older_than_the_code(pages: Path) -> None:
    """A change of the code makes the mark and not the page stale, a change of a figure makes the page stale."""
    with (pages / "project" / "src" / "leadml" / "part" / "sum.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert _page(pages, "--check").returncode == 0
    _page(pages)
    assert f"- **Older than what it speaks of**: {CODE.strip()}.\n" in _text(pages)
    assert _page(pages, "--check").returncode == 0

    _result(pages).write_text(_result(pages).read_text(encoding="utf-8").replace("2.5", "2.6"), encoding="utf-8")
    stale = _page(pages, "--check")
    assert (stale.returncode, stale.stderr) == (1, "docs/measured.md is stale: run docs/write_measured.py\n")


def test_the_page_marks_a_result_without_hashes(pages: Path) -> None:
    """Its arguments and notes come from its layout."""
    kept = _kept(pages)
    del kept["made_with"]
    _result(pages).write_text(json.dumps(kept), encoding="utf-8")
    _page(pages)

    assert "- **Made before results held a hash of the code**" in _text(pages)
    assert "`python benchmarks/tiny.py --deep`" in _text(pages)
    assert _text(pages).endswith("\n\nIt is 2.5.\n\nIt is old.\n")


def test_a_result_that_no_layout_describes_is_refused(pages: Path) -> None:
    """No result is left out of the page unsaid."""
    shutil.copy(_result(pages), _result(pages).with_name("other.json"))
    refused = _page(pages)

    assert refused.returncode == 1
    assert refused.stderr == ("benchmarks/results/other.json has no layout: describe it in docs/measured_layouts.py\n")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_proof_goes_on_when_a_benchmark_fails(tmp_path: Path) -> None:
    """Each has its own arguments, the page is written last, and what failed is said at the end."""
    script = "import sys; print(*sys.argv[1:], file=open('ran.txt', 'a'))"
    files = {"benchmarks/leaks.py": script, "benchmarks/bank.py": script, "benchmarks/bad.py": "raise SystemExit(5)"}
    files |= {"docs/write_measured.py": script, "requirements.lock": "", "pyproject.toml": "", ".venv/.ready": ""}
    files |= {"requirements-dev.lock": "", ".venv/.ready-dev": ""}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(FOLDER.parent / "Makefile", tmp_path)
    words = ["make", f"BIN={Path(sys.executable).parent}", "proof", "ONLY=leaks bad absent bank"]
    # The make that runs the tests hands its own options down, and a make below another prints more.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(words, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert done.stdout.splitlines() == ["== leaks", "== bad", "== absent", "== bank"]
    assert "\nfailed: bad absent\n" in done.stderr
    assert (tmp_path / "ran.txt").read_text(encoding="utf-8") == "--keep --seeds 10\n--keep\n\n"
