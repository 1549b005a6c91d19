"""Fit leadml of some checkout on a training set, in a process of its own.

Where a folder is given, what was fitted there before on the same leads by the same code is read again, so that a
benchmark of some hours goes on where it was interrupted.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import checkouts_fit
from joblib import Memory
from measure import code_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.types import Floats, Rows

    Said = tuple[Floats, Rows, Floats, Floats]

FIT = Path(checkouts_fit.__file__)


def kept_in(folder: Path, function: Callable[..., Any], ignore: Sequence[str] = ()) -> Callable[..., Any]:
    """Return a function that reads again what it returned for the same arguments, in a folder; as it is for no folder.

    Parameters
    ----------
    folder
        Where to keep results; the empty path for nowhere.
    function
        Of arguments that can be pickled. Its kept results are dropped when its text changes.
    ignore
        Names of arguments that do not change the result.
    """
    return Memory(None if folder == Path() else folder, verbose=0).cache(function, ignore=list(ignore))


def fitted_by(
    checkout: Path, learn: pd.DataFrame, holdout: pd.DataFrame, fields: Sequence[Field], split: Split, *, fits: Path
) -> Said:
    """Return what leadml of a checkout, at its default params, says of a holdout.

    Parameters
    ----------
    checkout
        A folder with ``src/leadml``.
    learn, holdout, fields, split
        The training set, the leads to judge, and what a fit reads.
    fits
        Where to keep what was fitted; the empty path for nowhere.

    Returns
    -------
    tuple of ndarray of shape (n_leads,)
        Probabilities, numbers of stages from 0, and the ends of the intervals.
    """
    made_with = code_hash(checkout / "src" / "leadml", [FIT]), FIT.read_text(encoding="utf-8")
    fit = kept_in(fits, _fitted, ignore=["checkout"])
    return fit(checkout, made_with, (holdout, tuple(fields), split, learn))  # type: ignore[no-any-return]


def _fitted(checkout: Path, made_with: tuple[str, str], task: tuple[Any, ...]) -> Said:  # noqa: ARG001 - part of the key
    """Return what the script says that a process of the checkout runs."""
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    with TemporaryDirectory() as name:
        path, result = Path(name) / "task.pickle", Path(name) / "result.pickle"
        path.write_bytes(pickle.dumps(task))
        subprocess.run([sys.executable, FIT, path, result], check=True, env=environment)
        return pickle.loads(result.read_bytes())  # type: ignore[no-any-return] # noqa: S301 - the line before wrote it
