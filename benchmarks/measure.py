"""What every benchmark needs: its options, its machine, and a place for its result."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("leadml", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy")


def options(description: str, name: str = "", **own: int | Path) -> argparse.Namespace:
    """Return the options that every benchmark has, and numbers, folders and switches of its own with their defaults.

    With ``--recorded`` the kept result of ``name`` is printed, and that it is the kept one, and nothing is run.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--keep", action="store_true", help="keep the result in benchmarks/results")
    parser.add_argument("--recorded", action="store_true", help="print the kept result and run nothing")
    for option, default in own.items():
        kind: dict[str, Any] = {"action": "store_true"} if isinstance(default, bool) else {"type": type(default)}
        parser.add_argument(f"--{option}", default=default, **kind)
    chosen = parser.parse_args()
    if chosen.recorded:
        kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        print(f"kept result of {name}, nothing was run: {kept['machine']}")
        print(json.dumps(kept["figures"], sort_keys=True))
        sys.exit()
    return chosen


def finish(name: str, figures: dict[str, Any], chosen: argparse.Namespace) -> None:
    """Print the figures as JSON and keep them with machine and versions, where asked."""
    if chosen.keep:
        machine = {"system": platform.system(), "processor": platform.machine(), "python": platform.python_version()}
        kept = {
            "figures": figures,
            "machine": machine,
            "libraries": {library: version(library) for library in LIBRARIES},
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    if chosen.json:
        print(json.dumps(figures, sort_keys=True))
