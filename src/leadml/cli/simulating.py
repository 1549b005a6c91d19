"""Commands that simulate leads with a known truth: a CRM, and a stream of leads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from leadml.cli.shared import app, exit_on_error, show_progress
from leadml.errors import LeadmlError, quoted

SIMULATED_FROM = 2024  # the year of START in simulator/lead_attributes.py, not imported because it brings NumPy


class Simulations(TyperGroup):
    """The commands of ``leadml simulate``; another word was the folder of a CRM before there were two of them."""

    def resolve_command(self, ctx: Any, args: Any) -> Any:
        """Return the command that is named, or say how a CRM is written now."""
        if args[0] not in self.commands:
            names = " or ".join(self.commands)
            ctx.fail(f"simulate must be followed by {names}, got {quoted(args[0])}; write leadml simulate crm FOLDER")
        return super().resolve_command(ctx, args)


simulate = typer.Typer(
    cls=Simulations,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Simulate leads whose true probabilities are known: the tables of a CRM, or a plain stream of leads.",
    epilog="Examples: `leadml simulate crm demo`, `leadml simulate stream leads.csv`",
)
app.add_typer(simulate, name="simulate")


@simulate.command(epilog="Example: `leadml simulate crm demo --leads 20000 --months 18 --seed 1`")
def crm(  # noqa: PLR0917 - a command's options, by name
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")] = Path("crm"),
    leads: Annotated[int, typer.Option(help="Number of leads.")] = 20_000,
    months: Annotated[int, typer.Option(help="Number of months, from January 2024.")] = 18,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same bytes.")] = 0,
    drift: Annotated[str, typer.Option(help="Kind of drift: none, mix, behaviour or base_rate.")] = "none",
    drift_month: Annotated[int | None, typer.Option(help="First month of the drift; by default the middle.")] = None,
    spam: Annotated[bool, typer.Option(help="Whether one month has form spam from a campaign.")] = True,
    worked_a_week: Annotated[
        int, typer.Option(help="Number of leads that sales contacts each week, which convert more.")
    ] = 0,
    truth_leads: Annotated[int, typer.Option(help="About how many leads the truth is written for.")] = 20_000,
    mail: Annotated[bool, typer.Option(help="Whether activities have mails, deliveries and agents.")] = False,
    scanners: Annotated[float, typer.Option(help="Share of opens and clicks by mail scanners.")] = 0.0,
    bots: Annotated[float, typer.Option(help="Share of page visits by bots.")] = 0.0,
    processes: Annotated[int, typer.Option(help="Number of processes; changes no byte.")] = 1,
) -> None:
    """Write the tables of a simulated CRM, and the true probabilities, which training never reads."""
    with exit_on_error(), show_progress() as progress:
        from leadml.publish.files import writing
        from leadml.simulator.scenario import Scenario
        from leadml.simulator.write import simulate as run

        today = datetime.now(UTC)
        max_months = 12 * (today.year - SIMULATED_FROM) + today.month - 1
        if months > max_months:
            msg = (
                f"months must end before today, got {months} from January {SIMULATED_FROM}; give {max_months} or fewer"
            )
            raise LeadmlError(msg)
        progress("simulating")
        scenario = Scenario(drift, drift_month, spam, worked_a_week, truth_leads, mail, scanners, bots)
        with writing(folder):
            result = run(folder, leads=leads, months=months, seed=seed, scenario=scenario, processes=processes)
    counts = f"{result.leads:,} rows of leads, {result.activities:,} activities, {result.outcomes:,} outcomes"
    print(f"{counts}: {result.folder}")
    if mail:
        print(f"acts of machines, not for training: {result.folder / 'machines'}")
    print(f"true probabilities of {result.truth:,} snapshots, not for training: {result.folder / 'truth'}")


@simulate.command(epilog="Example: `leadml simulate stream leads.csv --days 180 --drift odds --drift-day 90`")
def stream(  # noqa: PLR0917 - a command's options, by name
    file: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.")],
    days: Annotated[int, typer.Option(help="Number of days, from 2024-01-01.")] = 365,
    leads_a_day: Annotated[int, typer.Option(help="Number of leads on each day.")] = 100,
    fields: Annotated[int, typer.Option(help="Number of fields.")] = 8,
    rate: Annotated[float, typer.Option(help="Share of leads that convert without drift.")] = 0.125,
    drift: Annotated[str, typer.Option(help="Kind of drift: none, odds, mix or effects.")] = "none",
    drift_day: Annotated[int, typer.Option(help="First day of the drift, from 0.")] = 120,
    level_noise: Annotated[
        float, typer.Option(help="Standard deviation by which the log-odds of whole days vary.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same bytes.")] = 0,
    model: Annotated[
        Path | None, typer.Option(help="Folder of a version, whose scores are the column score_probability.")
    ] = None,
    before: Annotated[
        int | None, typer.Option(help="Write so many leads of the time before the first day instead, to train on.")
    ] = None,
) -> None:
    """Write a plain stream of leads with their true probabilities, to try on it what notices a drift."""
    with exit_on_error(), show_progress() as progress:
        from leadml.bundle.model import load
        from leadml.jobs.simulate import write_stream
        from leadml.simulator.stream import Stream

        progress("simulating")
        source = Stream(rate, fields, leads_a_day, drift, drift_day, level_noise)
        version = None if model is None else load(model)
        number = write_stream(source, file, seed=seed, days=days, before=before, model=version)
    print(f"{number:,} leads: {file}")
