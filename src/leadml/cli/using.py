"""Commands that use a model: score, explain, report, status."""

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
    open_model,
    print_table,
    refusing,
    showing_progress,
)
from leadml.errors import inert

if TYPE_CHECKING:
    from leadml.jobs.score import ScoreSummary


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
        from leadml.jobs.project import present
        from leadml.jobs.score import ScoreRequest
        from leadml.jobs.score import score as run

        found, places = open_model(model, params, set_, target)
        request = ScoreRequest(file, as_of, out, held_out, contributions, raw)
        summary = run(found, request, project=places, now=present(), progress=progress)
    _print_summary(summary)
    if summary.not_scored or summary.doubts:
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
        from leadml.jobs.explain import explain as run
        from leadml.jobs.explain import explanation_table
        from leadml.jobs.project import present
        from leadml.leads.sources.source import scoring_source

        found, places = open_model(model, params, set_, target)
        path = file or (places.data if places else None)
        source = scoring_source(found.bundle.leads, places, now=present(), file=path)
        explained = run(found, lead_id, source=source, as_of=as_of, progress=progress)
    print(f"{found.target} by version {inert(found.version)}{f', as of {inert(as_of)}' if as_of else ''}")
    title = f"lead {inert(lead_id)}: {100 * explained.probability:.1f} of 100, {explained.stage}"
    print_table(title, explanation_table(explained))


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
        found, places = open_model(model, params, set_, target)
        progress("drawing")
        batch = places.registry.last_batch() if places else None
        path = out or (places.reports if places else Path("reports")) / f"{found.target}.html"
        write_text(path, render(build_report(found, batch=batch)))
    print(f"report: {path}")


@app.command(epilog="Example: `leadml status`")
def status(target: TargetOption = None, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Say of each target what is in use, since when, where its stages begin, and what it scored last."""
    with refusing():
        from leadml.jobs.places import Places
        from leadml.jobs.status import describe_all
        from leadml.params import load_params
        from leadml.publish.text_tables import TextTable

        names = load_params(params, set_ or ()).target_names if target is None else (target,)
        statuses = describe_all([Places.open(params, set_ or (), target=name) for name in names])
    for rows in statuses:
        print_table("status", TextTable(("", ""), rows))


def _print_summary(summary: ScoreSummary) -> None:
    merged = f" ({summary.merged:,} repeated rows merged)" if summary.merged else ""
    left_out = f" ({summary.left_out:,} left out: {summary.reason_left_out})" if summary.left_out else ""
    print(f"{summary.rows:,} rows in{merged}{left_out} = {summary.scored:,} scored + {summary.not_scored:,} not scored")
    stages = ", ".join(f"{stage} {number:,}" for stage, number in summary.stages.items())
    print(stages or "no stages: the target drives none")
    unknown = ", ".join(
        f"{inert(name)} of {number:,} lead{'s' if number > 1 else ''}"
        for name, number in summary.unknown_levels.items()
        if number
    )
    if unknown:
        print(f"levels that the model does not keep: {unknown}")
    if summary.defused:
        print(
            f"{summary.defused:,} texts that a spreadsheet would run begin with ' now; --raw leaves them as they came"
        )
    print(f"scores: {inert(summary.destination.name)}")
    for doubt in summary.doubts:
        print(f"look at this: {doubt}")
    if summary.not_scored:
        print(f"not scored, with reasons: {summary.destination.not_scored}")
