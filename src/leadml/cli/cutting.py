"""Commands about what lets leads in: the cuts of the version in use, and the business's own rules beside it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from leadml.cli.shared import (
    DEFAULT_PARAMS,
    ParamsOption,
    SetOption,
    TargetOption,
    app,
    exit_on_error,
    open_model,
    open_project,
    print_table,
    show_progress,
)


@app.command(epilog="Examples: `leadml cuts`, `leadml cuts --stage sql --rule precision=0.3 --save`")
def cuts(  # noqa: PLR0917 - a command's options, by name
    rule: Annotated[str | None, typer.Option(help="Rule to try: precision=0.3, capacity=40/200, drop=0.05.")] = None,
    capacity: Annotated[float | None, typer.Option(help="Leads that the team can work in a week.")] = None,
    incoming: Annotated[float | None, typer.Option(help="Leads that arrive in a week; else as in params.")] = None,
    stage: Annotated[str, typer.Option(help="Stage of the rule: iql, mql or sql.")] = "mql",
    save: Annotated[bool, typer.Option("--save", help="Use the cuts from now on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Show what each cut lets in, and what another rule would change; nothing changes without --save."""
    with exit_on_error():
        from leadml.jobs.cuts import asked_rules, difference_table, review_cuts
        from leadml.jobs.lead_records import current_instant
        from leadml.publish.text_tables import cut_table

        model, places = open_model(None, params, set_, target)
        choices = places.params if places else None
        rules = asked_rules(choices, rule=rule, capacity=capacity, incoming=incoming, stage=stage)
        review = review_cuts(model, choices, rules, save=save, now=current_instant())
    if as_json:
        tables = {"present": review.present, "proposed": review.proposed, "difference": review.difference}
        rows = {
            name: None if table is None else json.loads(table.to_json(orient="records"))
            for name, table in tables.items()
        }
        print(json.dumps({"target": model.target, "version": model.scored_version, **rows, "saved": review.saved}))
        return
    print(f"{model.target} by version {model.scored_version}; figures of the leads that cuts are solved on")
    print_table("cuts in use, with 90% intervals", cut_table(review.present))
    if review.proposed is None or review.difference is None or choices is None:
        return
    print_table("cuts with the other rule", cut_table(review.proposed))
    print_table("what changes", difference_table(review.difference, choices.stages.money.currency))
    if review.saved:
        print(f"saved: scores are of version {model.version}.{review.saved} from now on")
    else:
        print("nothing was changed; --save uses the new cuts from now on")


@app.command(epilog="Example: `leadml rules`")
def rules(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Judge the business's own rules by outcomes: how the leads convert that each moves, and whether rules help."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.rules import moved_text, ways_text

        project = open_project(params, set_, target, progress)
        review = project.rules()
    if as_json:
        tables = {"moved": review.moved, "ways": review.ways}
        figures = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        counts = {"rows": review.rows, "conversions": review.conversions, "not_applied": review.not_applied}
        print(json.dumps({"target": project.target, **counts, **figures}))
        return
    print(f"{project.target}: {review.rows:,} rows that the model was not fitted on, {review.conversions:,} converted")
    for words in review.not_applied:
        print(f"not applied, because the model does not have the field: {words}")
    level = f"{review.confidence:.0%} intervals"
    print_table(f"what each rule does beside the others, with {level}", moved_text(review))
    print_table(f"model and rules, alone and together, with {level}", ways_text(review))
