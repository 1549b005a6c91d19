"""A fitted model as plain data that any serializer can hold, and that is verified before it is read.

The data are texts and numbers: JSON, LightGBM's text and the hash of both. LightGBM ends the process on a damaged text,
so nothing is interpreted before its hash agrees.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from leadml.errors import inert
from leadml.model.parts.trees import Trees
from leadml.model.predict.lead_model import LeadModel

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 3  # of `to_state`; it rises when an older leadml could not read the data


def to_state(model: LeadModel, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model as plain data.

    Parameters
    ----------
    model
        The model.
    facts
        Other values that JSON can store; `from_state` returns them.
    """
    parts = model.to_json() | {"threads": model.trees.threads, "facts": dict(facts)}
    text = json.dumps(parts, sort_keys=True)
    return {"format": FORMAT, "model": text, "trees": model.trees.text, "sha256": _hash(text, model.trees.text)}


def from_state(state: Any) -> tuple[LeadModel, dict[str, Any]]:
    """Return the model and the other values that `to_state` wrote.

    Raises
    ------
    ValueError
        Where a byte was changed, or another version of leadml wrote it.
    """
    stored = state if isinstance(state, dict) else {}
    if stored.get("format") != FORMAT:
        msg = (
            f"a stored classifier must have format {FORMAT}, got {inert(stored.get('format'))}; "
            "use the leadml that wrote it, or fit it again"
        )
        raise ValueError(msg)
    text, trees = str(stored.get("model")), str(stored.get("trees"))
    if stored.get("sha256") != _hash(text, trees):
        msg = "a stored classifier must be as it was written, got other bytes; use another copy, or fit it again"
        raise ValueError(msg)
    try:
        parts = json.loads(text)
        model = LeadModel.from_json(parts, Trees(trees, parts["threads"]))
        return model, parts["facts"]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"a stored classifier must have all parts of a model, got {inert(repr(error))}; fit it again"
        raise ValueError(msg) from None


def _hash(text: str, trees: str) -> str:
    return hashlib.sha256(f"{text}\0{trees}".encode("utf-8", "surrogatepass")).hexdigest()
