"""Run features on DuckDB, which is embedded, or on Polars.

What enters is Arrow tables; what leaves is Narwhals' lazy frames, and tables again.
It refuses an engine that is not installed; no engine changes a number, because all sums are of whole numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from leadml.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import narwhals as nw
    import pyarrow as pa

    from leadml.params import ComputeParams


@dataclass(frozen=True)
class Engine:
    """Where lazy frames are computed.

    Parameters
    ----------
    name
        ``duckdb`` or ``polars``.
    scan
        The engine's own lazy frame of an Arrow table.
    """

    name: str
    scan: Callable[[pa.Table], Any]

    def lazy(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Return an Arrow table as a lazy frame."""
        import narwhals as nw  # noqa: PLC0415 - the door opens without it

        return cast("nw.LazyFrame[Any]", nw.from_native(self.scan(table)).lazy())


@contextmanager
def open_engine(choices: ComputeParams, *, threads: int = 0) -> Iterator[Engine]:
    """Give an engine until the block ends.

    Parameters
    ----------
    choices
        Which engine, and how much memory DuckDB may use before it writes to disk.
    threads
        Of DuckDB; 0 for all. Polars takes its number from the environment, ``POLARS_MAX_THREADS``.

    Raises
    ------
    MissingExtraError
        Where Polars is asked for and not installed.
    """
    if choices.engine == "polars":
        try:
            import polars as pl  # noqa: PLC0415 - an extra
        except ImportError:
            msg = "Polars is not installed: pip install 'leadml[polars]', or set compute.engine: duckdb"
            raise MissingExtraError(msg) from None
        yield Engine("polars", lambda table: cast("pl.DataFrame", pl.from_arrow(table)).lazy())
        return
    import duckdb  # noqa: PLC0415 - the door opens without it

    config: dict[str, Any] = {"memory_limit": f"{choices.memory_gb:.3f}GB"} | ({"threads": threads} if threads else {})
    with duckdb.connect(config=config) as connection:
        yield Engine("duckdb", connection.from_arrow)
