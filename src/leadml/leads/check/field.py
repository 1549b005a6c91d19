"""One field that the model uses, with the words that explanations use for it.

Fields belong to topics, because people know an activity by its name and not by its window: all windows of one activity
are one topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from leadml.params import Group, Kind

FieldSource = Literal["column", "derived", "activity"]
# In the words of the fields that say how long ago an activity was, or the lead came.
DAYS_AGO, DAYS_SINCE = "{} days ago", "{} days since"


@dataclass(frozen=True)
class Field:
    """One field that the model uses.

    Parameters
    ----------
    name
        Name of the column of the file, or leadml's name of a computed field.
    kind
        ``number``, ``category`` or ``boolean``.
    group
        ``fit`` (what the lead is) or ``engagement`` (what the lead does).
    source
        ``column`` (a column of the file), ``derived`` (computed from a column) or ``activity`` (computed from
        activities).
    topic
        Topic of the field; empty where the field is a topic by itself.
    words
        Text for explanations, with ``{}`` for the value; empty for "name is value".
    words_if_missing
        Text for explanations where the value is missing; empty for "name is not known".
    """

    name: str
    kind: Kind
    group: Group
    source: FieldSource = "column"
    topic: str = ""
    words: str = ""
    words_if_missing: str = ""

    @property
    def subject(self) -> str:
        """The topic, or the name of a field that is a topic by itself."""
        return self.topic or self.name

    @property
    def is_age(self) -> bool:
        """Whether the field says how many days ago an activity was, or the lead came."""
        return self.source == "activity" and (DAYS_AGO in self.words or DAYS_SINCE in self.words)

    def to_json(self) -> list[Any]:
        """Return the field as plain data."""
        return [self.name, self.kind, self.group, self.source, self.topic, self.words, self.words_if_missing]
