"""Commands that prepare and train: init, check, simulate, train.

What enters is what was typed; what leaves is files, and lines for people.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

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
    now,
    open_project,
    print_table,
    refusing,
    showing_progress,
)
from leadml.errors import LeadmlError

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
        from leadml.jobs.prepare import propose_params
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
        from leadml.jobs.prepare import check_data, check_project, propose_params
        from leadml.params import load_params, parse_params
        from leadml.publish.text_tables import age_table, finding_table

        progress("checking leads")
        known = params.is_file() or params != DEFAULT_PARAMS or file is None
        ages = None
        if file is None:
            findings, ages = check_project(open_project(params, set_, target), now=now(), progress=progress)
        else:
            text = None if known else propose_params(file, written_as=str(file))
            findings = check_data(file, load_params(params, set_ or ()) if text is None else parse_params(text))
    roles = f"roles from {params}" if known else "roles as leadml init would propose them"
    print_table(f"{file or 'the data of params'} ({roles})", finding_table(findings))
    if ages:
        print_table("reached by age of the lead, of leads observed so long", age_table(ages))
    if any(finding.severity == "stop" for finding in findings):
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
        from leadml.simulate.scenario import Scenario
        from leadml.simulate.write import simulate as run

        today = datetime.now(UTC)
        longest = 12 * (today.year - SIMULATED_FROM) + today.month - 1
        if months > longest:
            msg = f"months must end before today, got {months} from January {SIMULATED_FROM}; give {longest} or fewer"
            raise LeadmlError(msg)
        progress("simulating")
        scenario = Scenario(drift, drift_month, spam, worked_a_week, truth_leads)
        made = run(folder, leads=leads, months=months, seed=seed, scenario=scenario, processes=processes)
    print(f"{made.leads:,} rows of leads, {made.activities:,} activities, {made.outcomes:,} outcomes: {made.folder}")
    print(f"the truth of {made.truth:,} looks, not for training: {made.folder / 'truth'}")


@app.command(epilog="Example: `leadml train --set split.seed=1`")
def train(target: TargetOption = None, params: ParamsOption = DEFAULT_PARAMS, set_: SetOption = None) -> None:
    """Train on leads whose outcome is known, evaluate on leads kept aside, and keep the version."""
    with refusing(), showing_progress() as progress:
        from leadml.jobs.report import headline, warnings
        from leadml.jobs.train import train as run
        from leadml.publish.registry import CHAMPION
        from leadml.publish.text_tables import model_table, part_table, stage_table
        from leadml.stages.lifecycle import StagePlan

        project = open_project(params, set_, target)
        trained = run(project, now=now(), progress=progress)
    evaluation = trained.evaluation
    print(headline(evaluation))
    for warning in warnings(trained.bundle):
        print(f"note: {warning}")
    codes = [code for code, severity, _ in trained.bundle.facts["findings"] if severity == "warn" and code[:2] != "RD"]
    if codes:
        print(f"note: findings that warn are {', '.join(sorted(set(codes)))}; leadml check shows them")
    unit = "looks at leads" if trained.bundle.as_of_settings else "leads"
    print(f"judged by {evaluation.leads:,} {unit} kept aside, {evaluation.conversions:,} converted\n")
    print_table("parts", part_table(trained.bundle.facts["split"], unit=unit))
    print_table("model and baselines", model_table(evaluation))
    cuts = StagePlan.from_json(trained.bundle.stages).cuts
    if cuts:
        print_table("stages", stage_table(evaluation, cuts, unit="looks" if trained.bundle.as_of_settings else "leads"))
    ece = evaluation.metric("ece")["value"]
    print(f"calibration error {ece:.4f} (a perfect model: {evaluation.ece_by_chance:.4f} by chance)")
    state = "new" if trained.new else "the same as before"
    use = "in use" if trained.champion == trained.version else f"version {trained.champion} stays in use"
    print(f"version {trained.version} ({state}; {use}): {project.registry.path(trained.version)}")
    if trained.champion != trained.version:
        print(f"to put it in use, write {trained.version} into {project.registry.folder / CHAMPION}")
