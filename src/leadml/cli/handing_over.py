"""The command that hands leads over to sales, takes back what they decided, and shows what became of the leads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.cli.shared import (
    DEFAULT_PARAMS,
    WARNED,
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
    from leadml.jobs.handoff import HandOff
    from leadml.jobs.project import Project

SHOWN = {"sal": "accepted"}  # SAL is the stage of a lead that sales accepted
FilledArgument = Annotated[Path | None, typer.Argument(help="File that sales filled in: what they decided is stored.")]


@app.command(epilog="Examples: `leadml handoff --out sales.csv`, `leadml handoff sales.csv`, `leadml handoff`")
def handoff(  # noqa: PLR0917 - a command's options, by name
    filled: FilledArgument = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for sales: .csv or .parquet.")] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help="File to write all that sales decided to, as sources.outcomes reads it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of the leads as one JSON object.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Give sales the leads that became MQL or SQL, take back what they decided, and show what became of the leads."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.acceptance import acceptance, acceptance_text, write_outcomes

        project = open_project(params, set_, target, progress)
        lines: list[str] = []
        doubts: tuple[str, ...] = ()
        if filled is not None:
            lines += _take_back(project, filled)
        if outcomes is not None:
            lines.append(f"{write_outcomes(project.places, outcomes):,} outcomes: {outcomes}")
        if out is not None:
            handed = project.hand_off(out)
            doubts = handed.doubts
            lines += [_handed_words(handed), *(f"warning: {doubt}" for doubt in doubts)]
        for line in lines:
            print(line, file=sys.stderr if as_json else sys.stdout)
        if out is None or as_json:
            found = acceptance(project.places)
            if as_json:
                tables = {"acceptance": found.table, "rejections": found.rejections}
                rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
                print(json.dumps({"target": project.target, **rows}))
            else:
                for title, table in acceptance_text(found):
                    print_table(title, table)
    if doubts:
        raise typer.Exit(WARNED)


def _take_back(project: Project, filled: Path) -> list[str]:
    """Store what sales decided and return in words how many outcomes that were."""
    taken = project.take_back(filled)
    counts = ", ".join(f"{number:,} {SHOWN.get(name, name)}" for name, number in taken.outcomes.items())
    lines = [f"taken back: {counts or 'no outcome'} ({taken.added:,} new); without an outcome: {taken.undecided:,}"]
    if taken.contacted_before:
        lines.append(f"contacted before they were handed over, so without hours: {taken.contacted_before:,}")
    return lines


def _handed_words(handed: HandOff) -> str:
    stages = ", ".join(f"{number:,} {stage}" for stage, number in handed.stages.items())
    return f"handed over: {stages}: {handed.out}" if stages else "no lead is due for sales; no file was written"
