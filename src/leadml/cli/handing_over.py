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
from leadml.errors import quoted

if TYPE_CHECKING:
    from typing import TextIO

    from leadml.jobs.project import Project

MOST_SHOWN = 5  # ids in one line
SHOWN = {"sal": "accepted"}  # SAL is the stage of a lead that sales accepted
FilledArgument = Annotated[Path | None, typer.Argument(help="File that sales filled in: what they decided is stored.")]


@app.command(epilog="Examples: `leadml handoff --out sales.csv`, `leadml handoff sales.csv`, `leadml handoff`")
def handoff(  # noqa: PLR0917 - a command's options, by name
    filled: FilledArgument = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for sales: .csv, .xlsx or .parquet.")] = None,
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
        from leadml.jobs.lead_records import current_instant

        project = open_project(params, set_, target, progress)
        people = sys.stderr if as_json else sys.stdout
        is_doubtful = filled is not None and _take_back(project, filled, people)
        if outcomes is not None:
            number = write_outcomes(project.places, outcomes, now=current_instant(), progress=progress)
            print(f"{number:,} outcomes: {outcomes}", file=people)
        if out is not None:
            is_doubtful |= _hand_off(project, out, people)
        if out is None or as_json:
            found = acceptance(project.places)
            if as_json:
                tables = {"acceptance": found.table, "rejections": found.rejections}
                rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
                print(json.dumps(rows))
            else:
                for title, table in acceptance_text(found):
                    print_table(title, table)
    if is_doubtful:
        raise typer.Exit(WARNED)


def _take_back(project: Project, filled: Path, people: TextIO) -> bool:
    """Store what sales decided, print how many outcomes that were, and return whether some leads are not known."""
    taken = project.take_back(filled)
    counts = ", ".join(f"{number:,} {SHOWN.get(name, name)}" for name, number in taken.outcomes.items())
    without = f"without an outcome: {taken.undecided:,}"
    print(f"taken back: {counts or 'no outcome'} ({taken.added:,} new); {without}", file=people)
    if taken.contacted_before:
        print(f"contacted before they were handed over, so without hours: {taken.contacted_before:,}", file=people)
    if taken.suppressed:
        print(f"on the lists of suppression, so not stored: {taken.suppressed:,}", file=people)
    if taken.unknown:
        listed = ", ".join(quoted(lead_id) for lead_id in taken.unknown[:MOST_SHOWN])
        more = ", ..." if len(taken.unknown) > MOST_SHOWN else ""
        number = f"{len(taken.unknown):,} decided leads"
        print(f"warning: {number} were not handed over, so not stored: {listed}{more}; ids are text", file=people)
    return bool(taken.unknown)


def _hand_off(project: Project, out: Path, people: TextIO) -> bool:
    """Write the leads that are due, print how many they are, and return whether sales are not told something."""
    handed = project.hand_off(out)
    stages = ", ".join(f"{number:,} {stage}" for stage, number in handed.stages.items())
    words = f"handed over: {stages}: {handed.out}" if stages else "no lead is due for sales; no file was written"
    for line in (words, *(f"warning: {doubt}" for doubt in handed.doubts)):
        print(line, file=people)
    return bool(handed.doubts)
