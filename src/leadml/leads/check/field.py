"""One field that the model uses, and how people call what it says.

What enters is a name and a kind; what leaves is a value that is stored with the model.
A field belongs to a topic, the thing that people know: the windows of one activity are one topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from leadml.params import Group, Kind

FieldSource = Literal["column", "read out", "activity"]


@dataclass(frozen=True)
class Field:
    """One column that the model uses.

    Parameters
    ----------
    name
        As the file has it, or as leadml calls what it computes.
    kind
        ``number``, ``category`` or ``boolean``.
    group
        ``fit`` (what the lead is) or ``engagement`` (what the lead does).
    source
        ``column`` (the file has it), ``read out`` (of a column) or ``activity`` (computed from activities).
    topic
        What it is a part of; empty where it stands for itself.
    words
        What reasons say, with ``{}`` for the value; empty for "name is value".
    without
        What reasons say where the value is missing; empty for "name is not known".
    """

    name: str
    kind: Kind
    group: Group
    source: FieldSource = "column"
    topic: str = ""
    words: str = ""
    without: str = ""

    @property
    def subject(self) -> str:
        """The topic, or the name of a field that stands for itself."""
        return self.topic or self.name

    def to_json(self) -> list[Any]:
        """Return the field as plain data."""
        return [self.name, self.kind, self.group, self.source, self.topic, self.words, self.without]
