"""Names are split into words, whatever the system that wrote them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.judge.name_words import name_words

WORD = st.text("abcdefghij", min_size=2, max_size=6)


@given(st.lists(WORD, min_size=1, max_size=4), st.sampled_from([" ", "_", "-", ".", " - ", "__"]))
def test_words_are_the_same_whatever_divides_them(words: list[str], mark: str) -> None:
    """Blanks, marks and capital letters divide words alike."""
    assert name_words(mark.join(words)) == tuple(words)
    assert name_words("".join(word.title() for word in words)) == tuple(words)
    assert name_words(mark.join(words).upper()) == tuple(words)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_make_no_other_word(form: str) -> None:
    """A composed and a decomposed letter are the plain one."""
    assert name_words(unicodedata.normalize(form, "Créé le")) == ("cree", "le")


def test_a_name_without_letters_has_no_words() -> None:
    """Nothing is made up."""
    assert name_words(" -/_ ") == ()
