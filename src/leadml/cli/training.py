"""Commands that prepare and train: init, check, simulate, train."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadml.cli.shared import (
    DEFAULT_PARAMS,
    REFUSED,
    FileArgument,
    ParamsOption,
    SetOption,
    TargetOption,
    app,
    check_suffix,
    open_project,
    print_table,
    refusing,
    showing_progress,
)
from leadml.errors import LeadmlError

if TYPE_CHECKING:
    from leadml.jobs.project import Project
    from leadml.jobs.train import Trained

SIMULATED_FROM = 2024


@app.command(epilog="Example: `leadml init leads.csv` writes params.yaml beside you; read it before training.")
def init(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write.")] = DEFAULT_PARAMS,
    encoding: Annotated[str, typer.Option(help="Of CSV files.")] = "utf-8",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Read a file of leads and propose a commented params.yaml."""
    with refusing(), showing_progress() as progress:
        check_suffix(out, ".yaml", ".yml")
        if out.exists() and not force:
            msg = f"{out}: is there already; name another with --out, or replace it with --force"
            raise LeadmlError(msg)
        from leadml.jobs.propose import propose_params
        from leadml.publish.files import write_text

        progress("reading leads")
        written_as = os.path.relpath(file.resolve(), out.resolve().parent)
        write_text(out, propose_params(file, written_as=written_as, encoding=encoding))
    print(f"wrote {out}: read it, correct it, then run leadml check {file} and leadml train")


@app.command(
    epilog="Example: `leadml check leads.csv`; dated leads: `leadml check --target sql`. 1 where training refuses."
)
def check(
    file: Annotated[Path | None, typer.Argument(help="Flat leads; without it the data that params.yaml names.")] = None,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Say before any training whether leads are ready, and what to do where they are not."""
    with refusing(), showing_progress() as progress:
        from leadml.jobs.project import proposed_project
        from leadml.publish.text_tables import age_table, finding_table

        progress("checking leads")
        is_declared = params.is_file() or params != DEFAULT_PARAMS or file is None
        if file is not None and not is_declared:
            project = proposed_project(file, progress)
        else:
            project = open_project(params, set_, target, progress)
        found = project.check(file)
    roles = f"roles from {params}" if is_declared else "roles as leadml init would propose them"
    print_table(f"{file or 'the data of params'} ({roles})", finding_table(found.findings))
    if found.by_age:
        print_table("reached by age of the lead, of leads observed so long", age_table(found.by_age))
    if not found.is_ready:
        print("not ready: training would refuse")
        raise typer.Exit(REFUSED)
    print("ready to train")


@app.command(epilog="Example: `leadml simulate crm --leads 20000 --months 18 --seed 1`")
def simulate(  # noqa: PLR0917 - a command's options, by name
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    leads: Annotated[int, typer.Option(help="How many leads come.")] = 20_000,
    months: Annotated[int, typer.Option(help="How long, from January 2024.")] = 18,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    drift: Annotated[str, typer.Option(help="none, mix, behaviour or base_rate.")] = "none",
    drift_month: Annotated[int | None, typer.Option(help="First month of the drift; else the middle.")] = None,
    spam: Annotated[bool, typer.Option(help="Whether a campaign draws form spam in one month.")] = True,
    worked_a_week: Annotated[int, typer.Option(help="Leads that sales works each week, which convert more.")] = 0,
    truth_leads: Annotated[int, typer.Option(help="For about how many leads the truth is written.")] = 20_000,
    processes: Annotated[int, typer.Option(help="Parts made at the same time; changes no byte.")] = 1,
) -> None:
    """Write the tables of a simulated CRM, and beside them the truth, which training never reads."""
    with refusing(), showing_progress() as progress:
        from leadml.simulator.scenario import Scenario
        from leadml.simulator.write import simulate as run

        today = datetime.now(UTC)
        longest = 12 * (today.year - SIMULATED_FROM) + today.month - 1
        if months > longest:
            msg = f"months must end before today, got {months} from January {SIMULATED_FROM}; give {longest} or fewer"
            raise LeadmlError(msg)
        progress("simulating")
        scenario = Scenario(drift, drift_month, spam, worked_a_week, truth_leads)
        made = run(folder, leads=leads, months=months, seed=seed, scenario=scenario, processes=processes)
    print(f"{made.leads:,} rows of leads, {made.activities:,} activities, {made.outcomes:,} outcomes: {made.folder}")
    print(f"the truth of {made.truth:,} snapshots, not for training: {made.folder / 'truth'}")


@app.command(epilog="Example: `leadml train --set split.seed=1`")
def train(target: TargetOption = None, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Train on leads whose outcome is known, evaluate on the holdout, and keep the version."""
    with refusing(), showing_progress() as progress:
        project = open_project(params, set_, target, progress)
        trained = project.train()
    _print_trained(project, trained)


def _print_trained(project: Project, trained: Trained) -> None:
    from leadml.bundle.model import CHAMPION
    from leadml.jobs.report import headline, warnings
    from leadml.publish.text_tables import model_table, part_table, stage_table

    model, evaluation, record = trained.model, trained.model.evaluation, trained.model.bundle.record
    print(headline(evaluation))
    for warning in warnings(model.bundle):
        print(f"note: {warning}")
    if codes := sorted(
        {finding.code for finding in record.findings if finding.severity == "warn" and finding.topic != "readiness"}
    ):
        print(f"note: findings that warn are {', '.join(codes)}; leadml check shows them")
    print(f"evaluated on {evaluation.leads:,} {record.unit} of the holdout, {evaluation.conversions:,} converted\n")
    print_table("parts", part_table(record.split, unit=record.unit))
    print_table("model and baselines", model_table(evaluation))
    if cuts := model.bundle.stages.cuts:
        print_table("stages", stage_table(evaluation, cuts, unit=record.unit))
    ece = evaluation.metric("ece")["value"]
    print(f"calibration error {ece:.4f} (a perfect model: {evaluation.ece_by_chance:.4f} by chance)")
    state = "new" if trained.is_new else "the same as before"
    is_used = trained.champion == model.version
    use = "in use" if is_used else f"version {trained.champion} stays in use"
    registry = project.places.registry
    print(f"version {model.version} ({state}; {use}): {registry.path(model.version)}")
    if not is_used:
        print(f"to put it in use, write {model.version} into {registry.folder / CHAMPION}")
