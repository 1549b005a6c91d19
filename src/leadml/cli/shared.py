"""Options, error handling, progress, projects and models of all commands.

Exit codes: 0 done, 1 refused with a message, 2 wrong usage, 3 done with warnings. Any other exception is a bug and
shows its traceback.
"""

from __future__ import annotations

import errno
import sys
import tempfile
import warnings
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.errors import LeadmlError, RetiredKeyWarning, inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leadml.bundle.model import Model
    from leadml.jobs.places import Places
    from leadml.jobs.project import Project
    from leadml.publish.text_tables import TextTable
    from leadml.types import Progress

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Which leads will convert, why, and what stage each is in.",
)

REFUSED, WARNED, STOPPED = 1, 3, 130  # Click exits with 2 for wrong options, shells with 128 + SIGINT for Ctrl-C
FULL = (errno.ENOSPC, errno.EDQUOT)
DEFAULT_PARAMS = Path("params.yaml")

ParamsOption = Annotated[Path, typer.Option("--params", help="The params.yaml of the project.")]
TargetOption = Annotated[str | None, typer.Option("--target", help="Name of the target, if params declare several.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Override a choice: section.key=value. Repeatable.")]
ModelOption = Annotated[
    Path | None, typer.Option("--model", help="Folder of a version to use instead of the version in use.")
]
FileArgument = Annotated[Path, typer.Argument(help="A file or a folder of files: CSV, Excel, JSON lines or Parquet.")]
AsOfOption = Annotated[str | None, typer.Option(help="Dated leads: the date of the snapshots.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="File to write, .html; by default reports/TARGET.html.")
]


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print the message of a `LeadmlError`, or that a disk is full, to stderr and exit with code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character gets its code
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings(action="default", category=RetiredKeyWarning):
            warnings.showwarning = _as_line(warnings.showwarning)  # the block puts the former one back
            yield
    except LeadmlError as error:
        for line in str(error).splitlines():
            print(f"leadml: {line}", file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        if not _is_full(error):
            raise
        place = f"in {tempfile.tempdir}" if tempfile.tempdir else "in no folder"
        print(
            f"leadml: a disk must have room for results and temporary files, which are {place}, got none; free some, "
            "or let TMPDIR name another folder",
            file=sys.stderr,
        )
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        print("leadml: stopped; no incomplete file was written", file=sys.stderr)
        raise typer.Exit(STOPPED) from None


def _as_line(show: Callable[..., None]) -> Callable[..., None]:
    """Return a function that shows warnings of retired keys as one line, and others as another function does."""

    def show_line(message: Warning | str, *details: object) -> None:
        if isinstance(message, RetiredKeyWarning):
            print(f"leadml: {message}", file=sys.stderr)
        else:
            show(message, *details)

    return show_line


def _is_full(error: OSError) -> bool:
    """Return whether an error means that no room is left: on a disk, in a quota, or in every temporary folder."""
    return error.errno in FULL or str(error.strerror).startswith("No usable temporary directory")


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Give a function that shows the current step on stderr if that is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("leadml") as spinner:
        yield lambda step: spinner.update(inert(step))


def open_project(params: Path, overrides: list[str] | None, target: str | None, progress: Progress) -> Project:
    """Return the project of a ``params.yaml``."""
    from leadml.jobs.places import Places
    from leadml.jobs.project import Project

    return Project(Places.open(params, overrides or (), target=target), progress)


def open_model(
    model: Path | None, params: Path, overrides: list[str] | None, target: str | None
) -> tuple[Model, Places | None]:
    """Return the model to use, and the places of its project; None if no ``params.yaml`` declares its target.

    Parameters
    ----------
    model
        The folder of a version to use instead of the champion, or None.
    params, overrides, target
        Options of the command line.
    """
    from leadml.bundle.model import load
    from leadml.jobs.places import Places
    from leadml.params import load_params

    if model is None:
        places = Places.open(params, overrides or (), target=target)
        return load(places.registry.champion_path(), threads=places.params.model.threads), places
    loaded = load(model)
    if not params.is_file() or loaded.target not in load_params(params, overrides or ()).target_names:
        return loaded, None
    return loaded, Places.open(params, overrides or (), target=loaded.target)


def print_table(title: str, table: TextTable) -> None:
    """Print a table; characters of the cells that could control a terminal are replaced."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    rich_table = RichTable(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in table.columns:
        rich_table.add_column(column, overflow="fold")
    for row in table.rows:
        rich_table.add_row(*(Text("".join(c if c.isprintable() else "�" for c in cell)) for cell in row))
    console = Console(highlight=False)
    console.print(rich_table)
    console.print()
