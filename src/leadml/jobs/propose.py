"""Propose a ``params.yaml`` for a file of leads, and judge it as `leadml check` would until nothing in it is refused.

What nobody can know from the file is asked for and never guessed in silence: which column is the label, whether the day
or the month comes first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadml.arguments import file_path
from leadml.errors import DataError, Fault, LeadmlError, ModelError, inert, nearest, quoted
from leadml.jobs.answers import Answers, UndecidedError
from leadml.jobs.assess import assess
from leadml.jobs.choose_label import choose_label
from leadml.jobs.params_text import Choices
from leadml.leads.asof.events import latest_instant
from leadml.leads.check.contract import Contract, Label
from leadml.leads.check.convert import texts, times
from leadml.leads.check.instants import instant
from leadml.leads.check.time_zones import MICROSECONDS_PER_DAY
from leadml.leads.judge.column_content import describe_column
from leadml.leads.judge.column_roles import (
    Proposal,
    find_created_at,
    find_known,
    find_lead_id,
    is_time,
    propose_field,
)
from leadml.leads.judge.label_candidates import BOUGHT, MAX_LEVELS, find_candidates
from leadml.leads.judge.presets import find_preset
from leadml.leads.read.detect import detect_dialect
from leadml.leads.read.files import column_names, read_chunks, source_files
from leadml.leads.read.frames import FrameSource
from leadml.leads.sources.flat import FlatLeads
from leadml.params import normal_name, parse_params

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from leadml.leads.judge.column_content import ColumnContent
    from leadml.leads.judge.column_roles import Role
    from leadml.leads.judge.findings import Finding
    from leadml.leads.judge.label_candidates import Candidate
    from leadml.leads.judge.presets import Preset
    from leadml.leads.read.files import Dialect
    from leadml.params import DateOrder
    from leadml.types import Mask

SAMPLE_ROWS = 200_000  # a second of reading (decision 5); a proposal is read and corrected anyway
JUDGED_ROWS = 20_000  # enough that no role changes, few enough to judge 60 columns in seconds
CONSTANT_OR_ID = frozenset({"RD6", "RD7"})  # warnings that a proposal needs not carry
SHARE_OF_WON, SHARE_OF_OTHERS = 0.9, 0.02  # that have the date of a conversion
USUAL_SHARE = 0.95  # of the conversions came within the days that a lead has to convert


@dataclass(frozen=True)
class ProposedParams:
    """A proposed ``params.yaml``.

    Parameters
    ----------
    text
        The text of the file.
    roles
        The role of each column, in the order of the file.
    notes
        What a person should know, in words.
    """

    text: str
    roles: tuple[Proposal, ...]
    notes: tuple[str, ...]


def propose_params(source: str | Path, *, written_as: str | None = None, encoding: str | None = None) -> str:
    """Return the text of a ``params.yaml`` for a file; each line of a column has a comment with the reason.

    Parameters
    ----------
    source
        A file or folder of leads with a label.
    written_as
        The path to write into the params, relative to their folder; None for the name of the source.
    encoding
        Encoding of delimited text; None for the one that its bytes have.

    Raises
    ------
    DataError
        If the source cannot be read.
    UndecidedError
        If it remains open which column is the label, or how dates are written.
    """
    return propose(source, written_as=written_as, answers=Answers(encoding=encoding)).text


def propose(
    source: str | Path, *, now: str | None = None, written_as: str | None = None, answers: Answers | None = None
) -> ProposedParams:
    """Return a proposed ``params.yaml`` with the role of each column.

    Parameters
    ----------
    source
        A file or folder of leads with a label.
    now
        The instant of the job in ISO 8601, after which no lead can have come; None for no limit.
    written_as
        The path to write into the params, relative to their folder; None for the name of the source.
    answers
        What a person has settled.

    Raises
    ------
    DataError, UndecidedError
        As for `propose_params`.
    """
    answers = answers or Answers()
    source = file_path(source, "source")
    dialect = detect_dialect(source, encoding=answers.encoding, sheet=answers.sheet)
    names = [name for name in column_names(source, dialect) if name]
    table, passed_over = read_sample(source, dialect, names, what="leads")
    contents = {name: describe_column(table[name], dialect) for name in names}
    dialect = with_marks(dialect, contents.values())
    few = [name for name, content in contents.items() if 1 < len(content.levels) <= MAX_LEVELS]
    preset = find_preset(names)
    label = choose_label(contents, {name: texts(table[name], dialect)[0] for name in few}, answers, preset=preset)
    roles = _without_outcomes(_roles(contents, label, answers, preset), contents, label)
    path = source.name if written_as is None else str(written_as)
    choices = Choices(path, dialect, label, roles, None, _date_orders(contents, roles, answers), answers.target)
    dates = _conversion_dates(table, contents, choices)
    if dates is not None:
        choices = replace(choices, wait_days=dates[1])
    notes = [] if preset is None else [f"by the names of its columns this is an export of {preset.name}"]
    notes += [f"passed over, because it is no lead: {line}" for line in passed_over]
    notes += _notes_on_dates(contents, roles, dates)
    choices = _judged(choices, table, now)
    return ProposedParams(choices.text(), tuple(choices.roles), tuple(notes))


def _without_outcomes(
    roles: Sequence[Proposal], contents: Mapping[str, ColumnContent], label: Candidate
) -> list[Proposal]:
    """Return the roles of columns, those excluded that say what became of leads beside the label."""
    found = find_candidates({name: content.levels for name, content in contents.items()})
    others = {each.column for each in found if each.strength < BOUGHT}
    return excluded(roles, dict.fromkeys(others, f"says what became of the lead, as {quoted(label.column)} does"))


def _notes_on_dates(
    contents: Mapping[str, ColumnContent], roles: Sequence[Proposal], dates: tuple[str, int] | None
) -> list[str]:
    """Return what a person should know of the dates of a file: of conversions, and that none is that of the leads."""
    if dates is not None:
        column, days = dates
        came = f"by {inert(column)}, 95% of the conversions came within {days} days"
        return [f"{came}; younger leads are left out of the training (target.wait_days)"]
    times = [each.column for each in roles if each.role == "excluded" and is_time(each.column, contents[each.column])]
    if not times or any(each.role == "created_at" for each in roles):
        return []
    remedy = f"if {inert(times[0])} is their date, name it: leadml init FILE --date {quoted(times[0])}"
    return [f"no date of the leads was found, so the holdout is random; {remedy}"]


def read_sample(source: Path, dialect: Dialect, names: Sequence[str], *, what: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the first rows of each file of a source, and the lines below the leads that were passed over.

    Raises
    ------
    DataError
        Where a row is at fault, or there is none.
    """
    files = source_files(source)
    tables: list[pa.Table] = []
    faults: list[Fault] = []
    passed_over: tuple[str, ...] = ()
    for file in files:
        chunk = next(read_chunks(file, dialect, names, rows=max(1, SAMPLE_ROWS // len(files))))
        tables.append(chunk.table)
        faults += chunk.faults
        passed_over += chunk.passed_over
    if faults:
        raise DataError(faults)
    table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    if not table.num_rows:
        raise DataError([Fault(source.name, f"must hold {what}, got none below the header")])
    return table, passed_over


def with_marks(dialect: Dialect, contents: Collection[ColumnContent]) -> Dialect:
    """Return the dialect with the decimal mark of most numbers, and with the words that mean "not known"."""
    votes: Counter[str] = Counter()
    for content in contents:
        if content.mark is not None:
            votes[content.mark.decimal] += 1 + len(contents) * content.mark.sure
    decimal = max(votes, key=lambda mark: votes[mark]) if votes else dialect.decimal
    missing = sorted({word for content in contents if content.kind != "text" for word in content.missing})
    return replace(dialect, decimal=decimal, missing=tuple(missing))


def _roles(
    contents: Mapping[str, ColumnContent], label: Candidate, answers: Answers, preset: Preset | None
) -> list[Proposal]:
    """Return the role of each column, in the order of the file."""
    found = {label.column: Proposal(label.column, "label", None, label.reason, guessed=bool(label.guessed))}
    lead_id = _named(contents, answers.lead_id, "lead_id", "--id")
    created_at = _named(contents, answers.created_at, "created_at", "--date")
    if preset is not None:
        lead_id = lead_id or find_known(contents, preset, "lead_id")
        created_at = created_at or find_known(contents, preset, "created_at")
    for proposal in (
        lead_id or find_lead_id(contents, tuple(found)),
        created_at or find_created_at(contents, tuple(found)),
    ):
        if proposal is not None:
            found[proposal.column] = proposal
    return [found.get(name) or propose_field(name, content, preset) for name, content in contents.items()]


def _named(contents: Mapping[str, ColumnContent], name: str | None, role: Role, option: str) -> Proposal | None:
    """Return the role of a column that a person named, or None where nobody did."""
    if name is None:
        return None
    if normal_name(name) not in contents:
        msg = f"{option} must name a column, got {quoted(name)}{nearest(name, contents)}"
        raise LeadmlError(msg)
    return Proposal(normal_name(name), role, None, "named by you")


def _date_orders(
    contents: Mapping[str, ColumnContent], roles: Sequence[Proposal], answers: Answers
) -> dict[str, DateOrder]:
    """Return the order of day and month of the column of the creation, where it is written with an order."""
    created_at = next((each.column for each in roles if each.role == "created_at"), None)
    order = None if created_at is None else date_order(created_at, contents[created_at], answers)
    return {} if created_at is None or order is None else {created_at: order}


def date_order(name: str, content: ColumnContent, answers: Answers) -> DateOrder | None:
    """Return whether a column of times has the day or the month first, or None where it has neither.

    Raises
    ------
    UndecidedError
        Where every date could be read in both ways, and nobody has settled it.
    """
    dates = content.dates
    if dates is None or not (dates.order or dates.is_open):
        return None
    order = answers.date_format or dates.order
    if order is None:
        shown = next(level for level in content.levels if level)
        message = (
            f"{inert(name)} has dates such as {quoted(shown)}, of which none says whether the day or the month "
            "comes first; say it: leadml init FILE --date-format day_first, or month_first"
        )
        raise UndecidedError(message, "date_format", ("day_first", "month_first"))
    return order


def _conversion_dates(
    table: pa.Table, contents: Mapping[str, ColumnContent], choices: Choices
) -> tuple[str, int] | None:
    """Return the column with the dates of conversions, and in how many days most of them came; None without one."""
    created_at = next((each.column for each in choices.roles if each.role == "created_at"), None)
    if created_at is None:
        return None
    won, known = _outcomes(table, choices)
    created, is_bad = times(table[created_at], timezone="UTC", order=choices.date_format.get(created_at))
    for name, content in contents.items():
        if content.kind != "time" or name == created_at or not won.any():
            continue
        order = content.dates.order if content.dates is not None else None
        at, is_missing = times(table[name], timezone="UTC", order=order)
        has = ~is_missing & ~is_bad
        if has[won].mean() < SHARE_OF_WON or has[known & ~won].mean() > SHARE_OF_OTHERS:
            continue
        days = (at - created)[has & won] / MICROSECONDS_PER_DAY
        if (days >= 0).mean() >= SHARE_OF_WON:
            return name, max(1, int(np.ceil(np.quantile(days, USUAL_SHARE))))
    return None


def _outcomes(table: pa.Table, choices: Choices) -> tuple[Mask, Mask]:
    """Return which rows converted, and of which the outcome is known by the label alone."""
    label = choices.label
    codes = Label(label.column, label.positive, label.negative, label.open).codes(
        texts(table[label.column], choices.dialect)[0].tolist()
    )
    return codes == 1, np.isin(codes, [0, 1])


def _judged(choices: Choices, table: pa.Table, now: str | None) -> Choices:
    """Return the choices without the columns that a training would stop at, each with the reason.

    What remains, such as too few leads, is a matter of the leads and not of the choices.
    """
    step = -(-table.num_rows // JUDGED_ROWS)
    sample = table.take(pa.array(np.arange(0, table.num_rows, step)))
    for _ in range(len(choices.roles)):
        if not any(each.kind for each in choices.roles):
            return choices  # the reasons of the roles show why nothing is left to learn from
        params = parse_params(choices.text())
        contract = Contract.from_params(params)
        rows = FrameSource.of(sample, choices.dialect, contract.columns)
        latest = None if now is None else latest_instant(instant(now, timezone="UTC"))
        try:
            training = FlatLeads(rows, contract, params.split, latest=latest, in_memory=True).training(progress=silent)
            findings = assess(training, params, progress=silent)
        except (DataError, ModelError):
            return choices  # leadml check shows it, with all rows
        roles = without_stops(choices.roles, findings)
        if roles == choices.roles:
            return choices
        choices = replace(choices, roles=roles)
    return choices


def without_stops(roles: Sequence[Proposal], findings: Sequence[Finding]) -> list[Proposal]:
    """Return the roles of columns, those at which a training would stop excluded with the finding as the reason."""
    return excluded(
        roles,
        {
            finding.field: f"{finding.code}: {finding.evidence}"
            for finding in findings
            if finding.field and (finding.severity == "stop" or finding.code in CONSTANT_OR_ID)
        },
    )


def excluded(roles: Sequence[Proposal], reasons: Mapping[str, str]) -> list[Proposal]:
    """Return the roles of columns, some fields excluded, each with the reason."""
    return [
        replace(each, role="excluded", kind=None, reason=reasons[each.column], guessed=False)
        if each.column in reasons and each.role in {"fit", "engagement"}
        else each
        for each in roles
    ]


def silent(_: str) -> None:
    """Say nothing: a proposal is judged in seconds."""
