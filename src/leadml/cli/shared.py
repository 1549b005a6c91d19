"""What all commands share: options, refusals, progress, the project and the model in use.

What enters is what was typed; what leaves is a project, a bundle, or a refusal with its exit code.
0 done, 1 refused, 2 usage, 3 done and something must be looked at; anything that is not a refusal shows its traceback.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.errors import LeadmlError, inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leadml.bundle.storage import Bundle
    from leadml.jobs.project import Project
    from leadml.leads.read.files import Dialect
    from leadml.publish.text_tables import TextTable

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Which leads will convert, why, and what stage each is in.",
)

REFUSED, LOOK, STOPPED = 1, 3, 130
DEFAULT_PARAMS = Path("params.yaml")

ParamsOption = Annotated[Path, typer.Option("--params", help="The project's choices.")]
TargetOption = Annotated[str | None, typer.Option("--target", help="What is predicted, where there are several.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Replace a choice: section.key=value. Repeatable.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Use this bundle instead of the champion.")]
FileArgument = Annotated[Path, typer.Argument(help="CSV or Parquet, a file or a folder of files.")]
AsOfOption = Annotated[str | None, typer.Option(help="Dated leads: the day at which they are looked at.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write, .html; else reports/TARGET.html.")]


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a refusal into its lines on stderr and exit code 1."""
    try:
        yield
    except LeadmlError as error:
        for line in str(error).splitlines():
            print(f"leadml: {line}", file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        print("leadml: stopped; what was not finished was not written", file=sys.stderr)
        raise typer.Exit(STOPPED) from None


def check_suffix(path: Path, *suffixes: str) -> None:
    """Refuse a path that ends in something else."""
    if path.suffix not in suffixes:
        msg = f"{path}: must end in {' or '.join(suffixes)}, got {inert(path.name)}"
        raise LeadmlError(msg)


@contextmanager
def showing_progress() -> Iterator[Callable[[str], None]]:
    """Give a function that shows the current step on stderr, where that is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("leadml") as spinner:
        yield lambda step: spinner.update(inert(step))


def now() -> str:
    """Return the present instant in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def open_project(params: Path, overrides: list[str] | None, target: str | None) -> Project:
    """Return the project of a params.yaml."""
    from leadml.jobs.project import Project

    return Project.open(params, overrides or (), target=target)


def open_bundle(
    model: Path | None, params: Path, overrides: list[str] | None, target: str | None
) -> tuple[Bundle, Path, Dialect, Project | None]:
    """Return the bundle to use, its folder, how files are written, and the project.

    With ``--model`` flat leads need no project, and None is returned; dated leads need one, for their tables.
    """
    from leadml.bundle.storage import load_bundle
    from leadml.leads.read.files import Dialect

    if model is not None:
        bundle = load_bundle(model)
        project = open_project(params, overrides, bundle.target) if bundle.as_of_settings is not None else None
        return bundle, model, bundle.dialect, project
    project = open_project(params, overrides, target)
    folder = project.registry.champion_path()
    bundle = load_bundle(folder, threads=project.params.model.threads)
    return bundle, folder, Dialect.from_params(project.params.data), project


def print_table(title: str, table: TextTable) -> None:
    """Print a table; strangers' words are inert in it."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in table.columns:
        shown.add_column(column, overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text("".join(c if c.isprintable() else "�" for c in cell)) for cell in row))
    console = Console(highlight=False)
    console.print(shown)
    console.print()
