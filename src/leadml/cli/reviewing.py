"""Commands that judge by outcomes: the version in use as they come in, and policies on those of the past."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadml.arguments import require_suffix
from leadml.cli.shared import (
    DEFAULT_PARAMS,
    WARNED,
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
from leadml.errors import LeadmlError


@app.command(epilog="Examples: `leadml review`, `leadml review --act --dry-run`, `leadml review --as-of 2026-06-30`")
def review(  # noqa: PLR0917 - a command's options, by name
    as_of: Annotated[str | None, typer.Option(help="Judge what was known by this date; by default today.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Page to write, .html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the review as one JSON object.")] = False,
    act: Annotated[bool, typer.Option("--act", help="Do what the verdict asks for, if the gate lets it pass.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --act: only say what would be done.")] = False,
    by: ByOption = "",
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Judge whether the version in use still holds, by the outcomes of the leads that it scored; code 3 if not."""
    with exit_on_error(), show_progress() as progress:
        if out is not None:
            require_suffix(out, ".html")
        _require_present(as_of, act=act, dry_run=dry_run)
        project = open_project(params, set_, target, progress)
        found = project.review(as_of)
        page = project.review_page(found, out)
        acted = project.act(found, by=by, dry_run=dry_run) if act else None
    if as_json:
        print(json.dumps(found.to_json() | ({"act": asdict(acted)} if acted else {})))
    else:
        print(found.line)
        for finding in found.findings:
            if finding.severity == "warn":
                print(finding)
        if acted is not None:
            print(acted.line)
    print(f"page: {page}", file=sys.stderr if as_json else sys.stdout)
    if found.judgement.asks_for_action and not (acted and acted.done):
        raise typer.Exit(WARNED)


def _require_present(as_of: str | None, *, act: bool, dry_run: bool) -> None:
    """Refuse options that do not go together."""
    if act and as_of:
        msg = "as_of (--as-of) must not be given with --act: what is done is done today"
        raise LeadmlError(msg)
    if dry_run and not act:
        msg = "dry_run (--dry-run) must come with --act, got it alone"
        raise LeadmlError(msg)


@app.command(epilog="Examples: `leadml replay`, `leadml replay --since 2025-07 --set review.replay.labels=month`")
def replay(  # noqa: PLR0917 - a command's options, by name
    since: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="The first month to play.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Page to write, .html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as one JSON object.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Play the past as if it were live: one model for good, a model each month, and leadml's loop."""
    with exit_on_error(), show_progress() as progress:
        if out is not None:
            require_suffix(out, ".html")
        project = open_project(params, set_, target, progress)
        found = project.replay(since)
        page = project.replay_page(found, out)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        print(found.line)
        print_table("", found.table())
    print(f"page: {page}", file=sys.stderr if as_json else sys.stdout)
