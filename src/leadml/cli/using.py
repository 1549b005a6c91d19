"""Commands that use a model: score, explain, report, status.

What enters is what was typed; what leaves is tables and pages, and lines for people.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.cli.shared import (
    DEFAULT_PARAMS,
    LOOK,
    AsOfOption,
    ModelOption,
    OutOption,
    ParamsOption,
    SetOption,
    TargetOption,
    app,
    check_suffix,
    now,
    open_bundle,
    open_project,
    print_table,
    refusing,
    showing_progress,
)
from leadml.errors import LeadmlError, inert

if TYPE_CHECKING:
    from leadml.jobs.scoring import Counted, ScoreOrder


@app.command(
    epilog="Example: `leadml score new.csv -o scored.parquet`, dated `leadml score --as-of 2026-01-31 -o s.csv`"
)
def score(  # noqa: PLR0917 - a command's options, by name
    file: Annotated[Path | None, typer.Argument(help="Flat leads: CSV or Parquet, a file or a folder.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write: .parquet or .csv; else output.database.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Dated leads: the day at which they are looked at.")
    ] = None,
    model: ModelOption = None,
    target: TargetOption = None,
    contributions: Annotated[Path | None, typer.Option(help="Write every contribution here too.")] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="Only leads that training kept aside.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV for machines: text that begins like a formula stays.")
    ] = False,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Score leads: probability, stage, grade and reasons for each."""
    with refusing(), showing_progress() as progress:
        from leadml.jobs.as_of import instant
        from leadml.jobs.score import score as run
        from leadml.jobs.score_dated import score_dated
        from leadml.jobs.scoring import ScoreOrder
        from leadml.params import ScoreParams
        from leadml.publish.registry import Batch

        bundle, folder, dialect, project = open_bundle(model, params, set_, target)
        choices = project.params.score if project else ScoreParams()
        timezone = project.params.data.timezone if project else None
        order = ScoreOrder(
            source=file,
            out=out,
            version=folder.resolve().name,
            scored_at=now(),
            dialect=dialect,
            chunk_rows=choices.chunk_rows,
            reasons=choices.reasons,
            held_out=held_out,
            contributions=contributions,
            raw=raw,
            as_of=instant(as_of, timezone=timezone or "UTC", name="--as-of") if as_of else None,
            database=project.database if project else None,
        )
        if bundle.as_of_settings is not None and project is not None:
            counted = score_dated(project, bundle, order, progress=progress)
        else:
            counted = run(bundle, order, progress=progress)
        if project:
            numbers = counted.rows, counted.scored, counted.not_scored
            place = str(out or project.params.output.table)
            project.registry.record(Batch(counted.batch_id, order.scored_at, order.version, *numbers, place))
    _print_counted(counted, order)
    if counted.not_scored or counted.doubts:
        raise typer.Exit(LOOK)


@app.command(
    epilog="Example: `leadml explain 4711 --file new.csv`; dated leads: `leadml explain 4711 --as-of 2026-01-31`"
)
def explain(  # noqa: PLR0917 - a command's options, by name
    lead_id: Annotated[str, typer.Argument(help="The lead's id.")],
    file: Annotated[Path | None, typer.Option(help="The flat leads; else those of params.")] = None,
    as_of: AsOfOption = None,
    model: ModelOption = None,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Show why one lead has its number."""
    with refusing(), showing_progress() as progress:
        from leadml.jobs.as_of import instant, shown_instant
        from leadml.jobs.explain import explain as run
        from leadml.jobs.explain import explain_dated, explanation_table

        bundle, folder, dialect, project = open_bundle(model, params, set_, target)
        seen = f"{bundle.target} by version {inert(folder.resolve().name)}"
        progress("explaining")
        if bundle.as_of_settings is not None and project is not None:
            if as_of is None or file is not None:
                msg = "dated leads need --as-of, as in --as-of 2026-01-31, and no --file: they come from params.yaml"
                raise LeadmlError(msg)
            at = instant(as_of, timezone=project.params.data.timezone or "UTC", name="--as-of")
            found = explain_dated(project, bundle, lead_id, as_of=at, now=now(), progress=progress)
            seen += f", as of {shown_instant(at)}"
        else:
            source = file or (project.data if project else None)
            if source is None or as_of is not None:
                msg = "flat leads need --file where --model is given, and --as-of must not be: they are looked at once"
                raise LeadmlError(msg)
            found = run(bundle, source, lead_id, dialect=dialect)
    print(seen)
    print_table(f"lead {inert(lead_id)}: {100 * found.probability:.1f} of 100, {found.stage}", explanation_table(found))


@app.command(epilog="Example: `leadml report -o report.html`")
def report(
    out: OutOption = None,
    model: ModelOption = None,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Write the report: what drives conversion, whether the numbers are true, what each stage holds."""
    with refusing(), showing_progress() as progress:
        from leadml.jobs.report import build_report
        from leadml.publish.files import write_text
        from leadml.publish.page import render

        if out:
            check_suffix(out, ".html")
        bundle, folder, _, project = open_bundle(model, params, set_, target)
        progress("drawing")
        batch = project.registry.last_batch() if project else None
        path = out or (project.reports if project else Path("reports")) / f"{bundle.target}.html"
        write_text(path, render(build_report(bundle, version=folder.resolve().name, batch=batch)))
    print(f"report: {path}")


@app.command(epilog="Example: `leadml status`")
def status(target: TargetOption = None, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Say of each target what is in use, since when, where its stages begin, and what it scored last."""
    with refusing():
        from leadml.jobs.status import describe_all
        from leadml.params import load_params
        from leadml.publish.text_tables import TextTable

        names = load_params(params, set_ or ()).target_names if target is None else (target,)
        told = describe_all([open_project(params, set_, name) for name in names])
    for rows in told:
        print_table("status", TextTable(("", ""), rows))


def _print_counted(counted: Counted, order: ScoreOrder) -> None:
    from leadml.jobs.as_of import shown_instant

    merged = f" ({counted.merged:,} repeated rows merged)" if counted.merged else ""
    why = (
        "not kept aside by training"
        if order.as_of is None
        else f"not in the population at {shown_instant(order.as_of)}"
    )
    passed = f" ({counted.passed_over:,} passed over: {why})" if counted.passed_over else ""
    print(f"{counted.rows:,} rows in{merged}{passed} = {counted.scored:,} scored + {counted.not_scored:,} not scored")
    stages = ", ".join(f"{stage} {number:,}" for stage, number in counted.stages.items())
    print(stages or "no stages: the target drives none")
    other = ", ".join(
        f"{inert(name)} of {number:,} lead{'s' if number > 1 else ''}"
        for name, number in counted.other.items()
        if number
    )
    if other:
        print(f"levels that the model does not keep: {other}")
    if counted.harmless:
        print(
            f"{counted.harmless:,} texts that a spreadsheet would run begin with ' now; --raw leaves them as they came"
        )
    table = f"table {inert(order.database[1])}" if order.database else ""
    print(f"scores: {order.out or table}")
    for doubt in counted.doubts:
        print(f"look at this: {doubt}")
    if counted.not_scored:
        print(f"not scored, with reasons: {order.not_scored}")
