"""Commands that use a model: score, explain, report, status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.arguments import require_suffix
from leadml.cli.shared import (
    DEFAULT_PARAMS,
    WARNED,
    AsOfOption,
    ModelOption,
    OutOption,
    ParamsOption,
    SetOption,
    TargetOption,
    app,
    exit_on_error,
    open_model,
    print_table,
    show_progress,
)
from leadml.errors import inert

if TYPE_CHECKING:
    from leadml.jobs.score import ScoreSummary


@app.command(
    epilog="Example: `leadml score new.csv -o scored.parquet`; dated leads: `leadml score --as-of 2026-01-31 -o s.csv`"
)
def score(  # noqa: PLR0917 - a command's options, by name
    file: Annotated[Path | None, typer.Argument(help="Flat leads: a file or a folder.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A .parquet, .csv, .xlsx or .delta to write; by default output.database."),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Dated leads: the date of the snapshots.")] = None,
    model: ModelOption = None,
    target: TargetOption = None,
    contributions: Annotated[Path | None, typer.Option(help="File for every contribution to each score.")] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="Score only the leads of the holdout.")] = False,
    only_open: Annotated[
        bool, typer.Option("--open", help="Score only the leads whose outcome is open (target.open).")
    ] = False,
    scored_at: Annotated[
        str | None, typer.Option(help="Instant of scored_at for leads not scored before; now by default.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="For machines: every digit, and no text escaped.")] = False,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Score leads: probability, stage, grade and reasons for each."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.lead_records import current_instant
        from leadml.jobs.score import score as run
        from leadml.jobs.score_request import ScoreRequest
        from leadml.leads.check.instants import instant, shown_instant

        loaded, places = open_model(model, params, set_, target)
        request = ScoreRequest(file, as_of, out, held_out, contributions, raw, only_open)
        now = current_instant()
        if scored_at is not None:
            now = shown_instant(instant(scored_at, timezone="UTC", name="--scored-at"))
        summary = run(loaded, request, project=places, now=now, progress=progress)
    _print_summary(summary)
    if summary.not_scored or summary.warnings:
        raise typer.Exit(WARNED)


@app.command(
    epilog="Example: `leadml explain 4711 --file new.csv`; dated leads: `leadml explain 4711 --as-of 2026-01-31`"
)
def explain(  # noqa: PLR0917 - a command's options, by name
    lead_id: Annotated[str, typer.Argument(help="The lead's id.")],
    file: Annotated[Path | None, typer.Option(help="Flat leads; by default those that params.yaml names.")] = None,
    as_of: AsOfOption = None,
    model: ModelOption = None,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Show the contributions to the score of one lead."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.explain import explain as run
        from leadml.jobs.explain import explanation_table
        from leadml.jobs.lead_records import current_instant
        from leadml.leads.sources.source import scoring_source

        loaded, places = open_model(model, params, set_, target)
        path = file or (places.data if places else None)
        source = scoring_source(loaded.bundle.leads, places, now=current_instant(), file=path)
        chosen = places.params if places else None
        explained = run(loaded, lead_id, source=source, as_of=as_of, progress=progress, params=chosen)
    instant = "".join(f", as of {value}" for value in explained.stamp.values())
    print(f"{loaded.target} by version {inert(loaded.version)}{instant}")
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
    """Write the report: what drives conversion, whether the probabilities are right, what each stage contains."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.keep import last_batch
        from leadml.jobs.report import build_report
        from leadml.publish.files import write_text
        from leadml.publish.page import render

        if out:
            require_suffix(out, ".html")
        loaded, places = open_model(model, params, set_, target)
        progress("drawing")
        batch = last_batch(places) if places else None
        path = out or (places.reports if places else Path("reports")) / f"{loaded.target}.html"
        write_text(path, render(build_report(loaded, batch=batch)))
    print(f"report: {path}")


@app.command(epilog="Example: `leadml status`")
def status(target: TargetOption = None, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Show for each target the version in use, its training, its cuts and the last batch that was scored."""
    with exit_on_error():
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
    stages = ", ".join(f"{stage} {count:,}" for stage, count in summary.stages.items())
    print(stages or "no stages: the target drives none")
    unknown = ", ".join(
        f"{inert(name)} of {count:,} lead{'s' if count > 1 else ''}"
        for name, count in summary.unknown_levels.items()
        if count
    )
    if unknown:
        print(f"values that the model does not know: {unknown}")
    if summary.defused:
        print(f"{summary.defused:,} texts that begin like a formula got a ' before them; --raw writes them unchanged")
    print(f"scores: {inert(summary.destination.name)}")
    if summary.not_kept:
        print(f"not kept in a store: {summary.not_kept}")
    if summary.stamp:
        print(f"note: {summary.stamp}")
    for rule in summary.not_applied:
        print(f"rule not applied, because the model has no such field: {inert(rule)}")
    for finding in summary.changes:
        if finding.severity == "not applicable":
            print(f"not compared with the training: {finding.evidence}; {finding.remedy}")
    for warning in summary.warnings:
        print(f"warning: {warning}")
    if summary.not_scored:
        print(f"not scored, with reasons: {summary.destination.not_scored}")
