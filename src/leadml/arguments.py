"""Check the arguments that people pass to the library: a wrong type gets a message, and no error of another library."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from leadml.errors import LeadmlError, inert, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = TypeVar("Value")


def whole_number(
    value: object, name: str, *, low: int, high: int | None = None, error: type[LeadmlError] = LeadmlError
) -> int:
    """Return an argument as a whole number.

    Parameters
    ----------
    value
        The argument: an integer of Python or NumPy.
    name
        Its name, for the message.
    low, high
        The smallest and the largest number allowed; None for no largest.
    error
        The class of the error.

    Raises
    ------
    LeadmlError
        If the argument is no whole number, or out of its range.

    Examples
    --------
    >>> whole_number(3, "reasons", low=1, high=20)
    3
    """
    number = int(value) if not isinstance(value, bool) and isinstance(value, Integral) else None
    if number is not None and low <= number and (high is None or number <= high):
        return number
    allowed = f"{low:,} or more" if high is None else f"from {low:,} to {high:,}"
    msg = f"{name} must be a whole number, {allowed}, got {_shown(value)}"
    raise error(msg)


def require_suffix(path: Path, *suffixes: str) -> None:
    """Refuse a path that ends in none of some suffixes, with a `LeadmlError`."""
    if path.suffix not in suffixes:
        *others, last = suffixes
        allowed = f"{', '.join(others)} or {last}" if others else last
        msg = f"{path}: must end in {allowed}, got {quoted(path.name)}"
        raise LeadmlError(msg)


def file_path(value: object, name: str, hint: str = "") -> Path:
    """Return an argument as a path.

    Parameters
    ----------
    value
        The argument: a text or a path.
    name, hint
        Its name, and what to do with a value of another type, for the message.

    Raises
    ------
    LeadmlError
        If the argument is neither a text nor a path.
    """
    if isinstance(value, str | Path):
        return Path(value)
    msg = f"{name} must be a path, got {type(value).__name__}{hint}"
    raise LeadmlError(msg)


def mapping(value: Mapping[str, Value], name: str, example: str, *, error: type[LeadmlError]) -> dict[str, Value]:
    """Return an argument as a dict.

    Parameters
    ----------
    value
        The argument.
    name, example
        Its name and an example of a value, for the message.
    error
        The class of the error.

    Raises
    ------
    LeadmlError
        If the argument is no mapping.
    """
    if hasattr(value, "keys"):
        return {str(key): value[key] for key in value.keys()}  # noqa: SIM118 - a series is iterated by its values
    msg = f"{name} must be a mapping such as {example}, got {_shown(value)}"
    raise error(msg)


def _shown(value: object) -> str:
    """Return a value for a message; only the type of what would be long."""
    return inert(repr(value)) if isinstance(value, str | int | float | None) else type(value).__name__
