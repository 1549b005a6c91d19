"""Play the past of an online shop as if it were live: who buys again within 90 days, with the default policy.

The customers of `examples/cdnow`, whose tables are made in a folder of their own; outcomes are known 90 days after a
snapshot. `once`, `refit`, `loop` and `oracle` are policies as in replay.py: of each `log_loss`, `auc`, `ece`, `gain`.

Run with: python benchmarks/replay_shop.py [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import ROOT, finish, options

from leadml import open_project

EXAMPLE = ROOT / "examples" / "cdnow"
SHOP = (EXAMPLE / "params.yaml", EXAMPLE / "make_tables.py", ROOT / "data" / "raw" / "CDNOW_master.txt.gz")


def main() -> None:
    """Make the tables, play, print a table."""
    chosen = options(__doc__ or "", "replay_shop", SHOP)
    with TemporaryDirectory() as name:
        for path in SHOP:
            copy = Path(name) / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        folder = Path(name) / EXAMPLE.relative_to(ROOT)
        subprocess.run([sys.executable, folder / "make_tables.py"], check=True, capture_output=True)
        replayed = open_project(folder, overrides=["tracking.enabled=false"], progress=print).replay()
    table = replayed.figures.set_index("policy").rename(columns={"roc_auc": "auc"})
    print(table.round(4).to_string())
    finish("replay_shop", table.to_dict("index"), chosen)


if __name__ == "__main__":
    main()
