"""The door: parse, call one job, print, exit.

What enters is a command line; what leaves is a result on stdout, progress on stderr and an exit code.
0 done, 1 refused, 2 usage, 3 done and something must be looked at; anything that is not a refusal shows its traceback.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.errors import LeadmlError, inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leadml.jobs.project import Project
    from leadml.jobs.score import Counted, ScoreOrder
    from leadml.leads.ingest import Dialect
    from leadml.model.bundle import Bundle
    from leadml.publish.tables import Table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Which leads will convert, why, and what stage each is in.",
)

REFUSED, LOOK, STOPPED = 1, 3, 130
DEFAULT_PARAMS = Path("params.yaml")

ParamsOption = Annotated[Path, typer.Option("--params", help="The project's choices.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Replace a choice: section.key=value. Repeatable.")]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Use this bundle instead of the champion.")]
FileArgument = Annotated[Path, typer.Argument(help="CSV or Parquet, a file or a folder of files.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write, .html; else reports/TARGET.html.")]


@app.command(epilog="Example: `leadml init leads.csv` writes params.yaml beside you; read it before training.")
def init(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write.")] = DEFAULT_PARAMS,
    encoding: Annotated[str, typer.Option(help="Of CSV files.")] = "utf-8",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Read a file of leads and propose a commented params.yaml."""
    with _refusing(), _progress() as progress:
        _check_suffix(out, ".yaml", ".yml")
        if out.exists() and not force:
            msg = f"{out}: is there already; name another with --out, or replace it with --force"
            raise LeadmlError(msg)
        from leadml.jobs.prepare import propose_params
        from leadml.publish.files import write_text

        progress("reading leads")
        written_as = os.path.relpath(file.resolve(), out.resolve().parent)
        write_text(out, propose_params(file, written_as=written_as, encoding=encoding))
    print(f"wrote {out}: read it, correct it, then run leadml check {file} and leadml train")


@app.command(epilog="Example: `leadml check leads.csv` exits with 1 where training would refuse.")
def check(file: FileArgument, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Say before any training whether leads are ready, and what to do where they are not."""
    with _refusing(), _progress() as progress:
        from leadml.jobs.prepare import check_data, propose_params
        from leadml.params import load_params, parse_params
        from leadml.publish.tables import finding_table

        progress("checking leads")
        known = params.is_file() or params != DEFAULT_PARAMS
        choices = load_params(params, set_ or ()) if known else parse_params(propose_params(file, written_as=str(file)))
        findings = check_data(file, choices)
    roles = f"roles from {params}" if known else "roles as leadml init would propose them"
    _print_table(f"{file} ({roles})", finding_table(findings))
    if any(finding.severity == "stop" for finding in findings):
        print("not ready: training would refuse")
        raise typer.Exit(REFUSED)
    print("ready to train")


@app.command(epilog="Example: `leadml train --set split.seed=1`")
def train(params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Train on leads whose outcome is known, evaluate on leads kept aside, and keep the version."""
    with _refusing(), _progress() as progress:
        from leadml.jobs.report import headline, warnings
        from leadml.jobs.train import train as run
        from leadml.publish.registry import CHAMPION
        from leadml.publish.tables import model_table, stage_table
        from leadml.stages.lifecycle import StagePlan

        project = _project(params, set_)
        trained = run(project, now=_now(), progress=progress)
    evaluation = trained.evaluation
    print(headline(evaluation))
    for warning in warnings(trained.bundle):
        print(f"note: {warning}")
    print(f"judged by {evaluation.leads:,} leads kept aside, {evaluation.conversions:,} converted\n")
    _print_table("model and baselines", model_table(evaluation))
    _print_table("stages", stage_table(evaluation, StagePlan.from_json(trained.bundle.stages).cuts))
    ece = evaluation.metric("ece")["value"]
    print(f"calibration error {ece:.4f} (a perfect model: {evaluation.ece_by_chance:.4f} by chance)")
    state = "new" if trained.new else "the same as before"
    use = "in use" if trained.champion == trained.version else f"version {trained.champion} stays in use"
    print(f"version {trained.version} ({state}; {use}): {project.registry.path(trained.version)}")
    if trained.champion != trained.version:
        print(f"to put it in use, write {trained.version} into {project.registry.folder / CHAMPION}")


@app.command(epilog="Example: `leadml score new.csv -o scored.parquet --contributions reasons.parquet`")
def score(  # noqa: PLR0917 - a command's options, by name
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write: .parquet or .csv.")],
    model: ModelOption = None,
    contributions: Annotated[Path | None, typer.Option(help="Write every contribution here too.")] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="Only leads that training kept aside.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV for machines: text that begins like a formula stays.")
    ] = False,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Score leads: probability, stage, grade and reasons for each."""
    with _refusing(), _progress() as progress:
        from leadml.jobs.score import ScoreOrder
        from leadml.jobs.score import score as run
        from leadml.params import ScoreParams
        from leadml.publish.registry import Batch

        bundle, folder, dialect, project = _bundle(model, params, set_)
        choices = project.params.score if project else ScoreParams()
        order = ScoreOrder(
            source=file,
            out=out,
            version=folder.resolve().name,
            scored_at=_now(),
            dialect=dialect,
            chunk_rows=choices.chunk_rows,
            reasons=choices.reasons,
            held_out=held_out,
            contributions=contributions,
            raw=raw,
        )
        counted = run(bundle, order, progress=progress)
        if project:
            numbers = counted.rows, counted.scored, counted.not_scored
            project.registry.record(Batch(counted.batch_id, order.scored_at, order.version, *numbers, str(out)))
    _print_counted(counted, order)
    if counted.not_scored:
        raise typer.Exit(LOOK)


@app.command(epilog="Example: `leadml explain 4711 --file new.csv`")
def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead's id.")],
    file: Annotated[Path | None, typer.Option(help="The leads; else those of params.")] = None,
    model: ModelOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Show why one lead has its number."""
    with _refusing(), _progress() as progress:
        from leadml.jobs.explain import explain as run
        from leadml.jobs.explain import lead_table

        bundle, _, dialect, project = _bundle(model, params, set_)
        source = file or (project.data if project else None)
        if source is None:
            msg = "--file must name the leads where --model is given"
            raise LeadmlError(msg)
        progress("explaining")
        found = run(bundle, source, lead_id, dialect=dialect)
    _print_table(f"lead {inert(lead_id)}: {100 * found.probability:.1f} of 100, {found.stage}", lead_table(found))


@app.command(epilog="Example: `leadml report -o report.html`")
def report(
    out: OutOption = None,
    model: ModelOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Write the report: what drives conversion, whether the numbers are true, what each stage holds."""
    with _refusing(), _progress() as progress:
        from leadml.jobs.report import build_report
        from leadml.publish.files import write_text
        from leadml.publish.page import render

        if out:
            _check_suffix(out, ".html")
        bundle, folder, _, project = _bundle(model, params, set_)
        progress("drawing")
        batch = project.registry.last_batch() if project else None
        path = out or (project.reports if project else Path("reports")) / f"{bundle.target}.html"
        write_text(path, render(build_report(bundle, version=folder.resolve().name, batch=batch)))
    print(f"report: {path}")


@app.command(epilog="Example: `leadml status`")
def status(params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Say what is in use, since when, where its stages begin, and what it scored last."""
    with _refusing():
        from leadml.jobs.status import describe
        from leadml.publish.tables import Table

        rows = describe(_project(params, set_))
    _print_table("status", Table(("", ""), rows))


@contextmanager
def _refusing() -> Iterator[None]:
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


def _check_suffix(path: Path, *suffixes: str) -> None:
    if path.suffix not in suffixes:
        msg = f"{path}: must end in {' or '.join(suffixes)}, got {inert(path.name)}"
        raise LeadmlError(msg)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Give a function that shows the current step on stderr, where that is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("leadml") as spinner:
        yield lambda step: spinner.update(inert(step))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _project(params: Path, overrides: list[str] | None) -> Project:
    from leadml.jobs.project import Project

    return Project.open(params, overrides or ())


def _bundle(
    model: Path | None, params: Path, overrides: list[str] | None
) -> tuple[Bundle, Path, Dialect, Project | None]:
    """Return the bundle to use, its folder, how files are written, and the project where there is one."""
    from leadml.leads.ingest import Dialect
    from leadml.model.bundle import load_bundle

    if model is not None:
        bundle = load_bundle(model)
        return bundle, model, bundle.dialect, None
    project = _project(params, overrides)
    folder = project.registry.champion_path()
    bundle = load_bundle(folder, threads=project.params.model.threads)
    return bundle, folder, Dialect.from_params(project.params.data), project


def _print_table(title: str, table: Table) -> None:
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


def _print_counted(counted: Counted, order: ScoreOrder) -> None:
    merged = f" ({counted.merged:,} repeated rows merged)" if counted.merged else ""
    passed = f" ({counted.passed_over:,} passed over: not kept aside by training)" if order.held_out else ""
    print(f"{counted.rows:,} rows in{merged}{passed} = {counted.scored:,} scored + {counted.not_scored:,} not scored")
    print(", ".join(f"{stage} {counted.stages.get(stage, 0):,}" for stage in ("LEAD", "IQL", "MQL", "SQL")))
    other = ", ".join(f"{inert(name)} {number:,}" for name, number in counted.other.items() if number)
    if other:
        print(f"leads with a level that the model does not keep: {other}")
    if counted.harmless:
        print(
            f"{counted.harmless:,} texts that a spreadsheet would run begin with ' now; --raw leaves them as they came"
        )
    print(f"scores: {order.out}")
    if counted.not_scored:
        print(f"not scored, with reasons: {order.not_scored}")
