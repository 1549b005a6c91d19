"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadml.errors import LeadmlError
from leadml.publish.files import published, write_text


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    """Until the writing is done the earlier file is there, to the byte."""
    target = tmp_path / "deep" / "report.html"
    write_text(target, "earlier")

    with published(target) as temporary:
        temporary.write_text("later", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "earlier"

    assert target.read_text(encoding="utf-8") == "later"
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    """Where the block fails the earlier file stays and the temporary one goes."""
    target = tmp_path / "report.html"
    write_text(target, "earlier")

    def write_half() -> None:
        with published(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert target.read_text(encoding="utf-8") == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    """A file where a folder should be is told with its path."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(LeadmlError, match=r"file/report\.html: must be writable, got (Not a directory|File exists)"):
        write_text(tmp_path / "file" / "report.html", "text")
