"""What every benchmark needs: its options, its machine, and a place for its result with the hashes of what made it.

A kept result holds, under ``made_with``, the hash of the modules of leadml that the script uses (`reach`), of the
script, and of each file that was read, and the arguments. Hashes are of contents alone, so that they are the same on
every machine. This module keeps results and computes no figure, so its own text is not part of a script's hash.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reach import SCRIPTS, modules_of, scripts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = SCRIPTS.parent
RESULTS = SCRIPTS / "results"
LIBRARIES = ("leadml", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy")
STANDS_FOR_PATH = {"data": "DIR", "peers": "PYTHON"}  # in the arguments that are kept


@dataclass(frozen=True)
class Age:
    """What has changed since a result was made.

    Parameters
    ----------
    changed
        A sentence each for the code, the script and the data, where they have changed.
    unknown
        A sentence each for what cannot be told.
    """

    changed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def options(
    description: str, name: str, files: Sequence[Path | str] = (), *, in_parts: bool = False, **own: int | Path | str
) -> argparse.Namespace:
    """Return the options that every benchmark has, and numbers, folders and switches of its own with their defaults.

    With ``--recorded`` nothing is run: the kept result of ``name`` is printed, and stderr says what has changed since
    it was made. With ``--keep`` the hashes are taken here, before anything is run: files may be edited meanwhile.
    ``kept`` holds the figures that parts of the result, measured alone, are to be added to.

    Parameters
    ----------
    description
        The docstring of the script.
    name
        Of the script, and of its result.
    files
        What the script reads: the path of a file of the project, which must be there, or the name of a file in
        ``--data``, which may be absent.
    in_parts
        Whether ``--keep --only PART`` adds a part to the kept result. It ends with a message where what is kept was
        made by other code, with other arguments or libraries.
    own
        Options of its own.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--keep", action="store_true", help="keep the result in benchmarks/results")
    parser.add_argument("--recorded", action="store_true", help="print the kept result and run nothing")
    for option, default in own.items():
        kind: dict[str, Any] = {"action": "store_true"} if isinstance(default, bool) else {"type": type(default)}
        parser.add_argument(f"--{option}", default=default, **kind)
    chosen = parser.parse_args()
    folder = getattr(chosen, "data", data_folder())
    if chosen.recorded:
        kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        known = age(name, kept, folder)
        for line in (*known.changed, *known.unknown):
            print(line, file=sys.stderr)
        print(f"kept result of {name}, nothing was run: {kept['machine']}")
        print(json.dumps(kept["figures"], sort_keys=True))
        sys.exit()
    if chosen.keep:
        arguments = {option: getattr(chosen, option) for option in own if not (in_parts and option == "only")}
        chosen.made_with = made_with(name, files, folder, arguments)
    chosen.kept = _kept_parts(name, chosen) if in_parts and chosen.keep and chosen.only else {}
    return chosen


def _kept_parts(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the figures that a part is to be added to: none where none are kept."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    if (kept.get("made_with"), kept["libraries"]) != (chosen.made_with, _libraries()):
        sys.exit(f"{path.relative_to(ROOT)} was made by other code, arguments or libraries: delete it or run all parts")
    figures: dict[str, Any] = kept["figures"]
    return figures


def finish(name: str, figures: dict[str, Any], chosen: argparse.Namespace) -> None:
    """Print the figures as JSON and keep them with machine, versions and what they were made with, where asked."""
    if chosen.keep:
        machine = {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        kept = {
            "figures": figures,
            "machine": machine,
            "libraries": _libraries(),
            "made_with": chosen.made_with,
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    if chosen.json:
        print(json.dumps(figures, sort_keys=True))


def _libraries() -> dict[str, str]:
    return {library: version(library) for library in LIBRARIES}


def data_folder() -> Path:
    """Return where further data sets are: shared/data beside the project where there is one, else data/raw."""
    beside = ROOT.parent / "shared" / "data"
    return beside if beside.is_dir() else ROOT / "data" / "raw"


def made_with(
    name: str, files: Sequence[Path | str], folder: Path, arguments: Mapping[str, int | Path]
) -> dict[str, Any]:
    """Return the hashes of what makes the result of a script, and its arguments.

    Parameters
    ----------
    name, files
        As :func:`options` takes them.
    folder
        The folder of further data sets.
    arguments
        Values by option. A path is replaced by a word, as it is of one machine; what was not given, an empty path or
        text, is left out.

    Returns
    -------
    dict
        ``code``; ``script``; ``data`` by name of the file, None for one that is absent; ``arguments``.

    Raises
    ------
    FileNotFoundError
        Where a file of the project is not there.
    """
    data = {}
    for file in files:
        inside = isinstance(file, Path)
        path = file.absolute() if inside else folder / file
        data[path.relative_to(ROOT).as_posix() if inside else file] = _hash(path) if inside or path.exists() else None
    said = {
        option: STANDS_FOR_PATH.get(option, option.upper()) if isinstance(value, Path) else value
        for option, value in arguments.items()
        if value not in {Path(), ""}
    }
    return {**_hashes(name), "data": data, "arguments": said}


def age(name: str, kept: Mapping[str, Any], folder: Path) -> Age:
    """Return what has changed since the kept result of a script was made; data sets are sought in the folder too."""
    made = kept.get("made_with")
    if made is None:
        return Age(unknown=("this result holds no hash of what made it, so it may be older than the code",))
    now = {file: _hash(path) for file in made["data"] if (path := _place(file, folder)).exists()}
    others = [file for file, found in now.items() if found != made["data"][file]]
    absent = [file for file, before in made["data"].items() if before is not None and file not in now]
    hashes = _hashes(name)
    changed = {
        "the code of leadml that it uses": made["code"] != hashes["code"],
        "the script, or one that it imports,": made["script"] != hashes["script"],
        f"the data ({', '.join(others)})": bool(others),
    }
    return Age(
        tuple(f"{what} has changed since this result was made" for what, is_so in changed.items() if is_so),
        (f"the data could not be compared: {', '.join(absent)} cannot be found",) if absent else (),
    )


def _place(file: str, folder: Path) -> Path:
    return ROOT / file if (ROOT / file).exists() else folder / file


def code_hash(package: Path, scripts: Iterable[Path]) -> str:
    """Return the hash of the modules in the folder of a package that some scripts use (`reach`)."""
    return _hash_of(modules_of(package, scripts))


def _hashes(name: str) -> dict[str, str]:
    """Return the hash of a script, and that of what it uses of the leadml that Python imports."""
    found, scripts = find_spec("leadml"), scripts_of(name)
    package = Path(str(found.origin if found else None)).parent
    return {"code": code_hash(package, scripts.values()), "script": _hash_of(scripts)}


def _hash_of(files: Mapping[str, Path]) -> str:
    """Return one hash of the names and contents of files, whatever order they are given in."""
    lines = "".join(f"{_hash(path)}  {name}\n" for name, path in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _hash(path: Path) -> str:
    """Return the hash of what a file holds, unpacked where it is packed."""
    content = path.read_bytes()
    return hashlib.sha256(gzip.decompress(content) if path.suffix == ".gz" else content).hexdigest()
