"""What is written, and in which form."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from leadml.params.output import OutputParams


def test_the_defaults_suit_a_first_run() -> None:
    """Folders beside params.yaml, nothing kept, the marks of an English spreadsheet."""
    output = OutputParams()
    assert (output.models, output.reports, output.database, output.keep) == ("models", "reports", None, ())
    assert (output.delimiter, output.decimal) == (",", ".")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"database": "postgresql://u:x@h/d"}, "must hold no password, got one"),
        ({"keep": ["Owner", "Owner"]}, "must name each column once"),
        ({"decimal": ","}, "delimiter and decimal must differ, got ',' for both; set delimiter: ';'"),
        ({"delimiter": "::"}, "must be one character"),
    ],
)
def test_wrong_choices_are_refused(wrong: dict[str, Any], message: str) -> None:
    """Each for its reason."""
    with pytest.raises(ValidationError, match=message):
        OutputParams.model_validate(wrong)
