"""Commands about what the store holds of a lead: history, override, forget."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.cli.shared import DEFAULT_PARAMS, ParamsOption, SetOption, app, exit_on_error, print_table, show_progress
from leadml.errors import LeadmlError, inert

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.jobs.places import Places

LeadArgument = Annotated[str, typer.Argument(help="The lead's id.")]


@app.command(epilog="Example: `leadml history 4711`")
def history(
    lead_id: LeadArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Show the scores and the stages that a lead has had, from the store."""
    with exit_on_error():
        from leadml.jobs.remember import history as run
        from leadml.jobs.remember import history_tables

        found = run(_places(params, set_), lead_id)
    if as_json:
        rows = {name: table.to_dict("records") for name, table in found.__dict__.items()}
        print(json.dumps({"lead_id": lead_id, **rows}))
        return
    print(f"lead {inert(lead_id)}")
    for title, table in history_tables(found):
        print_table(title, table)


@app.command(epilog="Example: `leadml forget 4711`")
def forget(lead_id: LeadArgument, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Remove a lead from the store, with a receipt. It stays in your own tables and in files of scores."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.lead_records import current_instant
        from leadml.jobs.remember import forget as run

        receipt = run(_places(params, set_), lead_id, now=current_instant(), progress=progress)
    removed = f"scores removed: {receipt.scores:,}, changes of its stage removed: {receipt.stage_changes:,}"
    print(f"forgotten at {receipt.at}; {removed} (receipt {receipt.number}, which does not name the lead)")
    for file in receipt.files:
        print(f"a file that had the lead: {inert(file)}")
    print("remove it from your tables of leads too, or it is scored again")


@app.command(epilog="Examples: `leadml override 4711 --stage SQL --reason 'called us'`, `leadml override 4711 --end`")
def override(  # noqa: PLR0917 - a command's options, by name
    lead_id: LeadArgument,
    stage: Annotated[str, typer.Option(help="The stage to set: LEAD, IQL, MQL, SAL, SQL, ...")] = "",
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    until: Annotated[str | None, typer.Option(help="Date or time at which it ends; by default it does not.")] = None,
    end: Annotated[bool, typer.Option("--end", help="End the stage that was set by hand.")] = False,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Set the stage of a lead by hand; the model's advice is kept beside it."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.lead_records import current_instant
        from leadml.jobs.remember import set_stage

        if end == bool(stage):
            msg = f"either --stage or --end must be given, got {'both' if end else 'neither'}"
            raise LeadmlError(msg)
        why, now = reason or ("ended" if end else ""), current_instant()
        places = _places(params, set_)
        stage_now = set_stage(places, lead_id, stage, reason=why, until=until, now=now, progress=progress)
    print(f"lead {inert(lead_id)} is {stage_now} now")


def _places(params: Path, overrides: list[str] | None) -> Places:
    """Return the places of a project, whose targets share one store."""
    from leadml.jobs.places import Places
    from leadml.params import load_params

    return Places.open(params, overrides or (), target=load_params(params, overrides or ()).target_names[0])
