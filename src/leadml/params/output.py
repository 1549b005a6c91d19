"""The section of ``params.yaml`` on what is written, and in which form."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from leadml.params.address import DatabaseAddress
from leadml.params.choices import Delimiter
from leadml.params.section import ColumnName, DatabaseTable, FolderPath, Section


def _check_kept(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        msg = "must name each column once"
        raise ValueError(msg)
    return names


class OutputParams(Section):
    """Where versions, reports and scores are written, and in which form."""

    models: FolderPath = "models"
    """Folder of the versions, relative to params.yaml; each target has a folder in it."""
    reports: FolderPath = "reports"
    """Folder of the reports, relative to params.yaml. `leadml report --out` names another place for one report."""
    database: DatabaseAddress | None = None
    """SQLAlchemy address of the database (extra `databases`) that `leadml score` writes to if `--out` is not given,
    with secrets as `${NAME}` of the environment."""
    table: DatabaseTable = "scored"
    """Table of `output.database` for the scores, with its schema where it needs one. It is created if it does not
    exist; a batch that is written twice is there once."""
    keep: Annotated[tuple[ColumnName, ...], AfterValidator(_check_kept)] = ()
    """Columns of the leads that stand beside the scores as they are written, such as `[Company, Owner]`, so that people
    know whom to call. No model reads them, and the store does not keep them. Of a lead with several rows, the last."""
    delimiter: Delimiter = ","
    """Character between two values of a CSV file for people. Write `";"` where their spreadsheets are European."""
    decimal: Literal[".", ","] = "."
    """Decimal mark of numbers in a CSV file for people, which have 6 places. Parquet, databases and `--raw` have every
    digit, a point and commas."""

    @model_validator(mode="after")
    def _check_marks(self) -> Self:
        if self.delimiter == self.decimal:
            msg = f"delimiter and decimal must differ, got {self.decimal!r} for both; set delimiter: ';'"
            raise ValueError(msg)
        return self
