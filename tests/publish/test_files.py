"""Files are replaced atomically."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadml.errors import LeadmlError
from leadml.publish.files import published, write_text


def test_the_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    """Until then the earlier file keeps its bytes."""
    target = tmp_path / "deep" / "report.html"
    write_text(target, "earlier")

    with published(target) as temporary:
        temporary.write_text("later", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "earlier"

    assert target.read_text(encoding="utf-8") == "later"
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_an_error_leaves_the_earlier_file(tmp_path: Path) -> None:
    """The temporary file is removed."""
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


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """The message names the path, for example if a file stands where a folder should be."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(LeadmlError, match=r"file/report\.html: must be writable, got (Not a directory|File exists)"):
        write_text(tmp_path / "file" / "report.html", "text")
