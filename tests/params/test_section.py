"""Sections: unknown keys and numbers that are not finite are refused, and nothing changes after it is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from leadml.errors import RetiredKeyWarning
from leadml.params.section import INVISIBLE_CHARACTERS, Count, Section, Share, Text, keys_of, normal_name


class Example(Section):
    """A section with a key of each shared type."""

    share: Share = 0.5
    """The share."""
    count: Annotated[Count, Field(alias="number")] = 1
    words: tuple[Text, ...] = ()


@pytest.mark.parametrize("key", ["shares", "Share", "count", "a b"])
def test_an_unknown_key_is_refused(key: str) -> None:
    """So is an attribute where the key has another name: there is one spelling."""
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Example.model_validate({key: 1})


@pytest.mark.parametrize("value", [3, None, ["x"], {"y": 1}])
def test_a_key_of_before_is_passed_over_with_a_warning(value: Any) -> None:
    """The warning says what leadml does in its place, and other keys are read."""

    class Newer(Example):
        """A section that had a key once."""

        retired: ClassVar[Mapping[str, str]] = {"speed": "it is as fast as it can"}

    with pytest.warns(RetiredKeyWarning, match=r"^speed is no key of params any more: it is as fast as it can; take"):
        section = Newer.model_validate({"speed": value, "share": 0.2})
    assert section.share == 0.2
    assert section == Newer(share=0.2)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Example.model_validate({"speed": value})


def test_a_section_cannot_be_changed() -> None:
    """Equal sections are equal, and a changed copy is another."""
    section = Example()
    with pytest.raises(ValidationError, match="Instance is frozen"):
        section.share = 0.1
    assert section == Example(share=0.5)
    assert section.model_copy(update={"share": 0.1}) != section


@pytest.mark.parametrize(("share", "good"), [(0.5, True), (1e-9, True), (0, False), (1, False), (-0.1, False)])
def test_a_share_lies_between_0_and_1(share: float, good: bool) -> None:  # noqa: FBT001
    """Neither is a share: none and all are no choice."""
    if good:
        assert Example(share=share).share == share
    else:
        with pytest.raises(ValidationError, match=r"share\n  Input should be (greater|less) than"):
            Example(share=share)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    """It could be compared with nothing."""
    with pytest.raises(ValidationError, match="Input should be a finite number"):
        Example(share=number)


@pytest.mark.parametrize("number", [0, -1, 10**9 + 1, 1.5])
def test_a_count_is_a_whole_number_from_1_to_a_billion(number: float) -> None:
    """Within it any is."""
    assert Example.model_validate({"number": 10**9}).count == 10**9
    with pytest.raises(ValidationError, match="number\n  Input should be"):
        Example.model_validate({"number": number})


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (7, "7"), (-1, "-1"), ("1.10", "1.10")])
def test_whole_numbers_and_booleans_are_texts_as_files_hold_them(value: Any, text: str) -> None:
    """A label 1 in YAML is the text 1 of a CSV file."""
    assert Example(words=(value,)).words == (text,)


@pytest.mark.parametrize("value", [1.1, None, ["a"], {"a": 1}])
def test_other_values_are_no_texts(value: Any) -> None:
    """A number with decimals could be written in several ways."""
    with pytest.raises(ValidationError, match="Input should be a valid string"):
        Example(words=(value,))


def test_keys_are_those_that_params_yaml_writes() -> None:
    """In their order, with the docstring below each as its meaning."""
    keys = keys_of(Example)

    assert list(keys) == ["share", "number", "words"]
    assert keys["share"].description == "The share."
    assert keys["number"].default == 1


@given(st.text())
def test_a_normal_name_is_trimmed_and_composed(name: str) -> None:
    """Normalising again changes nothing, and decomposed or padded spellings have the same form."""
    normal = normal_name(name)

    assert normal_name(normal) == normal
    assert normal_name(unicodedata.normalize("NFD", name)) == normal
    assert normal_name(f"\ufeff {name}\t") == normal
    assert not normal or (normal[0] not in INVISIBLE_CHARACTERS and normal[-1] not in INVISIBLE_CHARACTERS)


def test_what_is_inside_a_name_stays() -> None:
    """Upper case and inner space are part of it."""
    assert normal_name(" Created  At\u200b") == "Created  At"
