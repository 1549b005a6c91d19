"""Commands about other versions: compare, shadow, gate, promote, rollback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.cli.shared import (
    DEFAULT_PARAMS,
    WARNED,
    AsOfOption,
    ByOption,
    ParamsOption,
    SetOption,
    TargetOption,
    app,
    exit_on_error,
    open_project,
    print_table,
    show_progress,
)

if TYPE_CHECKING:
    from leadml.jobs.promote import Moved

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@app.command(epilog="Examples: `leadml compare 2 3`, `leadml compare 2 3 --as-of 2026-01-31`")
def compare(  # noqa: PLR0917 - a command's options, by name
    one: Annotated[str, typer.Argument(help="A version.")],
    other: Annotated[str, typer.Argument(help="The version to compare it with.")],
    file: Annotated[Path | None, typer.Option(help="Flat leads; by default those that params name.")] = None,
    as_of: AsOfOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as one JSON object.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Show what changes from one version to another: fields, stages and why, volume and money."""
    with exit_on_error(), show_progress() as progress:
        project = open_project(params, set_, target, progress)
        found = project.compare(one, other, file=file, as_of=as_of)
    if as_json:
        print(json.dumps(found.to_json()))
        return
    print(found.line)
    for title, table in found.tables(project.places.params.stages.money.currency):
        print_table(title, table)


@app.command(epilog="Example: `leadml gate 3`")
def gate(
    version: Annotated[str, typer.Argument(help="The version to judge.")],
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Judge a version beside the one in use, on leads that neither has learnt from; code 3 if it does not pass."""
    with exit_on_error(), show_progress() as progress:
        found = open_project(params, set_, target, progress).gate(version)
    print(found.line)
    if found.note:
        print(f"note: {found.note}")
    if not found.passes:
        raise typer.Exit(WARNED)


@app.command(epilog="Examples: `leadml shadow 3`, `leadml shadow 3 --stop`")
def shadow(
    version: Annotated[str, typer.Argument(help="The version.")],
    stop: Annotated[bool, typer.Option("--stop", help="End it.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Let a version score beside the one in use, for reviews alone: nothing of it reaches sales."""
    with exit_on_error(), show_progress() as progress:
        project = open_project(params, set_, target, progress)
        shadows = project.shadow(version, stop=stop)
    names = f"versions {', '.join(shadows)} score" if shadows else "no version scores"
    print(f"{project.target}: {names} beside the version in use")


@app.command(epilog="Example: `leadml promote 3 --by Ann --reason 'newer leads'`")
def promote(  # noqa: PLR0917 - a command's options, by name
    version: Annotated[str, typer.Argument(help="The version to use.")],
    by: ByOption = "",
    reason: ReasonOption = "",
    ungated: Annotated[bool, typer.Option("--ungated", help="Whatever the gate says; needs --reason.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Put a version in use that the gate lets pass."""
    with exit_on_error(), show_progress() as progress:
        moved = open_project(params, set_, target, progress).promote(version, by=by, reason=reason, ungated=ungated)
    _print_moved(moved, "was in use before")


@app.command(epilog="Example: `leadml rollback --by Ann --reason 'too many calls'`")
def rollback(
    by: ByOption = "",
    reason: ReasonOption = "",
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Put the version in use that was in use before."""
    with exit_on_error(), show_progress() as progress:
        moved = open_project(params, set_, target, progress).rollback(by=by, reason=reason)
    _print_moved(moved, "was taken back")


def _print_moved(moved: Moved, what: str) -> None:
    before = "no version was in use" if moved.before is None else f"version {moved.before} {what}"
    print(f"{moved.target}: version {moved.version} is in use; {before}")
    if moved.note:
        print(f"note: {moved.note}")
        raise typer.Exit(WARNED)
