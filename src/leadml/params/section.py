"""What every section of ``params.yaml`` is: frozen, closed to unknown keys, each key with its meaning.

What enters is plain data; what leaves is one frozen value.
It refuses keys that it does not know and numbers that are not finite.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Section(BaseModel):
    """A section of ``params.yaml``: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
