"""Files of tables: chunks have the types of the first one, pages have checksums, and a failure leaves nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.frames import of_texts

from leadml.publish.table_file import open_table_file


def _write(path: Path, *frames: pd.DataFrame) -> None:
    with open_table_file(path) as file:
        for chunk in frames:
            file.write(chunk)


def test_an_empty_chunk_changes_nothing(tmp_path: Path) -> None:
    """An empty chunk, even the first one, changes neither rows nor types."""
    with open_table_file(tmp_path / "a.parquet") as sink:
        for chunk in (of_texts([]), of_texts(["a"]), of_texts([]), of_texts(["b", "c"])):
            sink.write(chunk)

    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == ["a", "b", "c"]


def test_a_file_without_a_frame_is_a_defect(tmp_path: Path) -> None:
    """An empty file is no table, and is not published."""
    with pytest.raises(RuntimeError, match="must get at least one frame, got none: this is a bug of leadml"):
        _write(tmp_path / "a.parquet")

    assert list(tmp_path.iterdir()) == []


def test_every_page_of_parquet_has_a_checksum(tmp_path: Path) -> None:
    """A reader that verifies pages detects a changed bit."""
    with open_table_file(tmp_path / "a.parquet") as sink:
        sink.write(pd.DataFrame({"x": np.random.default_rng(0).normal(size=5000)}))
    damaged = bytearray((tmp_path / "a.parquet").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "b.parquet").write_bytes(damaged)

    with pytest.raises(OSError, match="checksum"):
        pq.ParquetFile(tmp_path / "b.parquet", page_checksum_verification=True).read()


def test_a_column_without_values_is_text(tmp_path: Path) -> None:
    """The next chunk may have texts in it."""
    with open_table_file(tmp_path / "a.parquet") as file:
        file.write(pd.DataFrame({"reason": np.array([None, None], dtype=object)}))
        file.write(pd.DataFrame({"reason": np.array(["late"], dtype=object)}))

    assert pd.read_parquet(tmp_path / "a.parquet")["reason"].tolist()[2] == "late"


def test_a_block_that_fails_leaves_no_file(tmp_path: Path) -> None:
    """Neither the file nor a part of it, where a chunk has another type than the first."""
    with pytest.raises(pa.ArrowInvalid, match="Failed to parse"):
        _write(tmp_path / "a.parquet", of_texts(["a"]), of_texts(["b"]).assign(points="high"))

    assert list(tmp_path.iterdir()) == []


def test_a_file_has_the_columns_of_the_frame_and_no_other(tmp_path: Path) -> None:
    """The index of a frame is not stored; the columns are compressed by Zstandard."""
    _write(tmp_path / "a.parquet", of_texts(["a", "b"]).set_axis(["x", "y"]))
    file = pq.ParquetFile(tmp_path / "a.parquet")

    assert file.schema_arrow.names == ["lead_id", "points"]
    assert file.schema_arrow.metadata is None
    assert [file.metadata.row_group(0).column(at).compression for at in (0, 1)] == ["ZSTD", "ZSTD"]
