"""The base class of every section of ``params.yaml``, and the types that its keys share.

A section refuses unknown keys, numbers that are not finite, and changes after it is read. The docstring below a key is
its entry in ``docs/params.md``.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from leadml.errors import RetiredKeyWarning

INVISIBLE_CHARACTERS = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True)
class ValueName:
    """What ``docs/params.md`` calls the values of a type, where bounds or choices do not describe them."""

    name: str


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Text = Annotated[str, BeforeValidator(_as_text)]
ColumnName = Annotated[str, ValueName("column name")]
FieldName = Annotated[str, ValueName("field name")]
DataPath = Annotated[str, ValueName("path of a file or folder")]
FilePath = Annotated[str, ValueName("path of a file")]
FolderPath = Annotated[str, ValueName("path of a folder")]
DatabaseTable = Annotated[str, ValueName("table name")]


class Section(BaseModel):
    """A section of ``params.yaml``: it cannot be changed, and it refuses unknown keys.

    Keys that it had once are passed over with a warning, so that params of before still work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    retired: ClassVar[Mapping[str, str]] = {}
    """What leadml does in place of each key that the section had once."""

    @model_validator(mode="before")
    @classmethod
    def _pass_over_retired(cls, given: Any) -> Any:
        found = [key for key in cls.retired if isinstance(given, dict) and key in given]
        for key in found:
            text = f"{key} is no key of params any more: {cls.retired[key]}; take it out"
            warnings.warn(text, RetiredKeyWarning, stacklevel=2)
        return {key: value for key, value in given.items() if key not in found} if found else given


def keys_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys of a section as ``params.yaml`` writes them, each with its definition.

    Examples
    --------
    >>> class Example(Section):
    ...     threads: Annotated[int, Field(alias="cores")] = 0
    >>> list(keys_of(Example))
    ['cores']
    """
    return {field.alias or name: field for name, field in section.model_fields.items()}


def label_word(text: str) -> str:
    """Return a value of a label in the form in which such values are compared: trimmed, composed, in lower case.

    Examples
    --------
    >>> label_word(" Closed Won ") == label_word("closed won")
    True
    """
    return normal_name(text).casefold()


def normal_name(name: str) -> str:
    """Return a column name trimmed and in Unicode's composed form (NFC); column names are compared in this form.

    Examples
    --------
    >>> normal_name(" cafe\u0301 ") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name).strip(INVISIBLE_CHARACTERS)
