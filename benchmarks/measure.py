"""What every benchmark needs: its options, its machine, and a place for its result."""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("leadml", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy")


def options(description: str) -> argparse.Namespace:
    """Return the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--keep", action="store_true", help="keep the result in benchmarks/results")
    return parser.parse_args()


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
