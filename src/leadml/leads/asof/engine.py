"""Open the engine that computes features: DuckDB, which needs no server, or Polars.

Both give the same numbers to the bit, because all sums are of whole numbers. An engine that is not installed is
refused.
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
    """The library that computes lazy frames.

    Parameters
    ----------
    name
        ``duckdb`` or ``polars``.
    scan
        Returns the library's own lazy frame of an Arrow table.
    """

    name: str
    scan: Callable[[pa.Table], Any]

    def lazy(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Return an Arrow table as a lazy frame."""
        import narwhals as nw  # noqa: PLC0415 - only dated leads need it

        return cast("nw.LazyFrame[Any]", nw.from_native(self.scan(table)).lazy())


@contextmanager
def open_engine(choices: ComputeParams, *, threads: int = 0) -> Iterator[Engine]:
    """Give an engine until the block ends.

    Parameters
    ----------
    choices
        Which engine, and how much memory DuckDB may use before it writes to disk.
    threads
        Number of threads of DuckDB; 0 for all. Polars takes its number from the environment variable
        ``POLARS_MAX_THREADS``.

    Raises
    ------
    MissingExtraError
        Where Polars is chosen and not installed.
    """
    if choices.engine == "polars":
        try:
            import polars as pl  # noqa: PLC0415 - an extra
        except ImportError:
            msg = "Polars is not installed: pip install 'leadml[polars]', or set compute.engine: duckdb"
            raise MissingExtraError(msg) from None
        yield Engine("polars", lambda table: cast("pl.DataFrame", pl.from_arrow(table)).lazy())
        return
    import duckdb  # noqa: PLC0415 - only dated leads need it

    config: dict[str, Any] = {"memory_limit": f"{choices.memory_gb:.3f}GB"} | ({"threads": threads} if threads else {})
    with duckdb.connect(config=config) as connection:
        yield Engine("duckdb", connection.from_arrow)
