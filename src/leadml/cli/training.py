"""Commands that prepare and train: init, check, train."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadml.arguments import require_suffix
from leadml.cli.shared import (
    DEFAULT_PARAMS,
    REFUSED,
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
from leadml.errors import LeadmlError, inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.jobs.answers import Answers, UndecidedError
    from leadml.jobs.project import Project
    from leadml.jobs.propose import ProposedParams
    from leadml.jobs.train import Trained
    from leadml.leads.judge.findings import Finding

MOST_FINDINGS = 8  # at 80 columns a finding takes 3 to 5 lines, so that these are about a screen
WHY_LEFT_OUT = ("open", "too young", "misdated")  # of flat leads: the names of their counts
WordsOption = Annotated[list[str] | None, typer.Option(help="Value of the label. Repeatable.")]


@app.command(epilog="Example: `leadml init leads.csv` writes params.yaml; read and correct it before training.")
def init(  # noqa: PLR0917 - a command's options, by name
    files: Annotated[
        list[Path], typer.Argument(help="Flat leads: a file or a folder. Dated leads: leads, activities and outcomes.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = DEFAULT_PARAMS,
    label: Annotated[str | None, typer.Option(help="Column that says which leads converted.")] = None,
    positive: WordsOption = None,
    negative: WordsOption = None,
    open_: Annotated[list[str] | None, typer.Option("--open", help="Value of leads that are open. Repeatable.")] = None,
    lead_id: Annotated[str | None, typer.Option("--id", help="Column of the id.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Column of the time at which leads came.")] = None,
    target: Annotated[str | None, typer.Option(help="Name of what is predicted.")] = None,
    date_format: Annotated[
        Literal["day_first", "month_first"] | None, typer.Option(help="Whether the day or the month is written first.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of text files; by default what the bytes are.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Read a file of leads, or the tables of dated leads, and propose a commented params.yaml."""
    with exit_on_error():
        require_suffix(out, ".yaml", ".yml")
        if out.exists() and not force:
            msg = f"{out}: must be a new file, got one that exists; name another with --out, or replace it with --force"
            raise LeadmlError(msg)
        from leadml.jobs.answers import Answers, UndecidedError
        from leadml.publish.files import write_text
        from leadml.publish.text_tables import role_table

        answers = Answers(
            label=label,
            positive=tuple(positive or ()),
            negative=tuple(negative or ()),
            open=tuple(open_ or ()),
            lead_id=lead_id,
            created_at=date,
            target=target,
            encoding=encoding,
            sheet=sheet,
            date_format=date_format,
        )
        proposed = None
        while proposed is None:
            try:
                with show_progress() as progress:
                    progress("reading leads")
                    proposed = _proposed(files, out, answers)
            except UndecidedError as question:
                if not (sys.stdin.isatty() and question.choices):
                    raise
                answers = answers.with_answer(question, ask(question))
        write_text(out, proposed.text)
    print_table("columns", role_table(proposed.roles))
    for note in proposed.notes:
        print(f"note: {note}")
    guessed = [inert(each.column) for each in proposed.roles if each.guessed]
    if guessed:
        print(f"note: these were guessed, look at them in {out}: {', '.join(guessed)}")
    option = "" if out == DEFAULT_PARAMS else f" --params {out}"
    print(f"wrote {out}: read it, correct it, then run leadml check{option} and leadml train{option}")


def _proposed(files: list[Path], out: Path, answers: Answers) -> ProposedParams:
    """Return the proposal for one file of flat leads, or for the tables of dated leads."""
    from leadml.jobs.lead_records import current_instant
    from leadml.jobs.propose import propose
    from leadml.jobs.propose_tables import propose_tables

    root, now = out.resolve().parent, current_instant()
    written_as = [os.path.relpath(file.resolve(), root) for file in files]
    if len(files) == 1:
        return propose(files[0], now=now, written_as=written_as[0], answers=answers)
    return propose_tables(files, root=root, written_as=written_as, now=now, answers=answers)


def ask(question: UndecidedError) -> str:
    """Return what a person at the terminal answers to a question: one of its choices."""
    print(question)
    for number, choice in enumerate(question.choices, start=1):
        print(f"  {number}  {inert(choice)}")
    number = 0
    while not 1 <= number <= len(question.choices):
        number = typer.prompt("which one, by its number", type=int)
    return question.choices[number - 1]


@app.command(
    epilog="Example: `leadml check leads.csv`; dated leads: `leadml check --target sql`. Exit code 1: not ready."
)
def check(
    file: Annotated[Path | None, typer.Argument(help="Flat leads; by default the data that params.yaml names.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what passed and what does not apply, too.")] = False,
    target: TargetOption = None,
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Check before a training whether leads are ready, and what to do if they are not."""
    with exit_on_error(), show_progress() as progress:
        from leadml.jobs.project import proposed_project
        from leadml.publish.text_tables import age_table

        progress("checking leads")
        is_declared = params.is_file() or params != DEFAULT_PARAMS or file is None
        if file is not None and not is_declared:
            project = proposed_project(file, progress, overrides=set_ or ())
        else:
            project = open_project(params, set_, target, progress)
        result = project.check(file)
    title = f"the leads of {params}" if file is None else f"{file}, columns as {params} declares them"
    if not is_declared:
        title = f"{file}, columns as leadml init would declare them"
    _print_findings(title, result.findings, verbose=verbose)
    if result.by_age:
        print_table("share of leads that reach the target by their age", age_table(result.by_age))
    if not is_declared:
        print(f"note: write {params} with leadml init {file}, and set there what is said above")
    if not result.is_ready:
        print("not ready: training would refuse")
        raise typer.Exit(REFUSED)
    print("ready to train")


def _print_findings(title: str, findings: Sequence[Finding], *, verbose: bool) -> None:
    """Print findings, the worst first: all of them, or those that stop or warn as far as a screen holds them."""
    from leadml.publish.text_tables import finding_table, worst_first

    ordered = worst_first(findings)
    shown = ordered if verbose else [each for each in ordered if each.severity in {"stop", "warn"}][:MOST_FINDINGS]
    if shown:
        print_table(title, finding_table(shown))
    else:
        print(f"{title}: no finding stops a training or warns of it")
    rest = Counter(each.severity for each in ordered[len(shown) :])
    if rest:
        counts = ", ".join(f"{number} {severity}" for severity, number in rest.items())
        print(f"not shown: {counts}; leadml check --verbose shows all\n")


@app.command(epilog="Example: `leadml train --set split.seed=1`. Exit code 3: the version is weak and not in use.")
def train(
    target: TargetOption = None,
    accept_weak: Annotated[str, typer.Option(metavar="REASON", help="Use the version even if it is weak.")] = "",
    params: ParamsOption = DEFAULT_PARAMS,
    set_: SetOption = None,
) -> None:
    """Train on leads whose outcome is known, evaluate on the holdout, and store the version."""
    with exit_on_error(), show_progress() as progress:
        project = open_project(params, set_, target, progress)
        trained = project.train(accept_weak=accept_weak)
    _print_trained(project, trained)
    if trained.champion is None:
        raise typer.Exit(WARNED)


def _print_trained(project: Project, trained: Trained) -> None:
    from leadml.jobs.report import headline, warnings
    from leadml.publish.text_tables import model_table, part_table, stage_table

    model, evaluation, record = trained.model, trained.model.evaluation, trained.model.bundle.record
    print(headline(evaluation))
    for warning in warnings(model.bundle):
        print(f"note: {warning}")
    if codes := sorted(
        {finding.code for finding in record.findings if finding.severity == "warn" and finding.topic != "readiness"}
    ):
        print(f"note: the findings {', '.join(codes)} are warnings; leadml check shows them")
    left_out = [f"{record.data.counts[why]:,} {why}" for why in WHY_LEFT_OUT if why in record.data.counts]
    if left_out:
        print(f"note: leads left out of the training: {', '.join(left_out)}")
    if trained.note:
        print(f"note: {trained.note}")
    print(f"evaluated on {evaluation.leads:,} {record.unit} of the holdout, {evaluation.conversions:,} converted\n")
    print_table("how the rows were divided", part_table(record.split, unit=record.unit))
    print_table("model and baselines", model_table(evaluation))
    if cuts := model.manifest.cuts:  # those of the training, also where others were saved since
        print_table("stages", stage_table(evaluation, cuts, unit=record.unit))
    ece = evaluation.metric("ece")["value"]
    print(f"calibration error {ece:.4f} (chance alone gives a perfect model {evaluation.ece_by_chance:.4f})")
    state = "new" if trained.is_new else "the same as before"
    is_used = trained.champion == model.version
    use = "in use" if is_used else f"version {trained.champion} stays in use"
    if trained.champion is None:
        use = "not in use"
    registry = project.places.registry
    print(f"version {model.version} ({state}; {use}): {registry.path(model.version)}")
    if not record.is_usable:
        print(f"the version is weak: {record.weakness}")
        print('leadml scores no leads with it; to use it all the same, leadml train --accept-weak "REASON"')
    elif not is_used and record.known_until is None:
        print(
            "to put it in use without a gate, which would need leads with dates: "
            f'leadml promote {model.version} --ungated --reason "REASON"'
        )
    elif not is_used:
        print(f"to put it in use, once the gate lets it pass: leadml promote {model.version}")
