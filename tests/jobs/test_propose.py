"""Proposals of params for a file of leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError, LeadmlError
from leadml.jobs.answers import Answers, UndecidedError
from leadml.jobs.check import check
from leadml.jobs.places import Places
from leadml.jobs.propose import ProposedParams, propose, propose_params
from leadml.jobs.train import train
from leadml.leads.check.contract import Contract
from leadml.leads.check.load import load_leads
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.params import parse_params

SMALL = ["model.max_rounds=40", "evaluation.draws=50", "tracking.enabled=false"]


@pytest.mark.slow
def test_a_proposal_is_accepted_by_training(tmp_path: Path, bank_file: Path) -> None:
    """The proposal for the bundled leads can be trained unchanged; the leak is excluded with a reason."""
    text = propose_params(str(bank_file), written_as=str(bank_file))
    params = parse_params(text)
    assert parse_params(propose_params(bank_file)).data.path == bank_file.name
    params = parse_params(text, overrides=SMALL)
    trained = train(Places(tmp_path, params, params.target_names[0]), now="2026-01-01", progress=lambda _: None)

    assert params.data.lead_id == "id"
    assert (params.target.column, params.target.positive, params.target.negative) == ("y", ("yes",), ("no",))
    assert list(params.features.excluded) == ["duration"]
    assert params.features.excluded["duration"].startswith("LK")
    assert {name: kind for name, kind in params.features.fit.items() if kind == "boolean"} == {
        "default": "boolean", "housing": "boolean", "loan": "boolean",
    }  # fmt: skip
    assert trained.model.version == "1"


@pytest.mark.slow
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected(tmp_path: Path, bank_file: Path, delimiter: str) -> None:
    """The delimiter that divides the header into its columns is proposed."""
    pd.read_csv(bank_file).drop(columns="duration").to_csv(tmp_path / "leads.csv", sep=delimiter, index=False)

    assert parse_params(propose_params(tmp_path / "leads.csv", written_as="leads.csv")).data.delimiter == delimiter


@pytest.mark.slow
def test_decimal_commas_are_detected(tmp_path: Path, bank_file: Path) -> None:
    """In a file with semicolons and decimal commas, numbers are read as numbers."""
    leads = pd.read_csv(bank_file).drop(columns="duration")
    leads["balance"] = leads["balance"] + 0.5
    leads.to_csv(tmp_path / "leads.csv", sep=";", decimal=",", index=False)

    params = parse_params(propose_params(tmp_path / "leads.csv", written_as="leads.csv"))

    assert (params.data.decimal, params.features.fit["balance"]) == (",", "number")


@pytest.mark.slow
def test_a_parquet_file_gets_the_same_proposal(tmp_path: Path, bank_file: Path) -> None:
    """It gets the same roles as the CSV file with the same leads."""
    pd.read_csv(bank_file).to_parquet(tmp_path / "leads.parquet", index=False)

    assert (
        parse_params(propose_params(tmp_path / "leads.parquet", written_as="x")).features
        == parse_params(propose_params(bank_file, written_as="x")).features
    )


@pytest.mark.slow
def test_special_characters_in_names_are_escaped(tmp_path: Path, bank_file: Path) -> None:
    """Names with quotes, colons, hashes and letters of other scripts are read back unchanged."""
    names = {"age": 'a "quoted": name # here', "job": "größe\\n 😀", "balance": "{x}", "y": "Won?"}
    pd.read_csv(bank_file).drop(columns="duration").rename(columns=names).to_csv(tmp_path / "odd.csv", index=False)

    params = parse_params(propose_params(tmp_path / "odd.csv", written_as="odd.csv"))

    assert {names["age"], names["job"], names["balance"]} <= {*params.features.fit, *params.features.engagement}
    assert (params.target.column, params.target.name) == ("Won?", "won")


def test_a_file_without_a_label_is_a_question(tmp_path: Path) -> None:
    """If no column says which leads converted, a person is asked, and nothing is proposed."""
    (tmp_path / "leads.csv").write_text("id,size\n1,10\n2,20\n3,30\n", encoding="utf-8")

    with pytest.raises(
        UndecidedError, match=r"no column says .* name the one that does: leadml init FILE --label COLUMN"
    ):
        propose_params(tmp_path / "leads.csv", written_as="leads.csv")


SIZE = 1500
RNG = np.random.default_rng(0)
CREATED = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(RNG.integers(0, 400 * 1440, SIZE)), unit="min")
VISITS = RNG.poisson(5, SIZE)
IS_WON = RNG.random(SIZE) < 1 / (1 + np.exp(2 - 0.3 * VISITS))
WON_AT = CREATED + pd.to_timedelta(RNG.integers(1, 41, SIZE), unit="D")


def leads(**columns: Any) -> pd.DataFrame:
    """Return leads with an id, a date, a field, a label and other columns."""
    won = np.where(IS_WON, "Won", "Lost")
    plain = {"Lead ID": [f"L{at}" for at in range(SIZE)], "Created": CREATED.strftime("%Y-%m-%d"), "Visits": VISITS}
    return pd.DataFrame({**plain, "Status": won, **columns})


def proposed(folder: Path, frame: pd.DataFrame, answers: Answers | None = None, **written: Any) -> ProposedParams:
    """Return the proposal for a file of leads."""
    frame.to_csv(folder / "leads.csv", index=False, **written)
    return propose(folder / "leads.csv", answers=answers)


def test_open_leads_and_the_days_to_wait_are_proposed(tmp_path: Path) -> None:
    """Stages without an outcome are open; where conversions have a date, so are leads younger than most needed."""
    status = np.where(IS_WON, "Won", RNG.choice(["Lost", "Working"], SIZE))
    won_at = pd.Series(WON_AT.strftime("%Y-%m-%d")).where(IS_WON)
    params = parse_params(proposed(tmp_path, leads(Status=status, **{"Won Date": won_at})).text)

    assert (params.target.positive, params.target.negative, params.target.open) == (("Won",), ("Lost",), ("Working",))
    assert 37 <= params.target.wait_days <= 40
    assert params.features.excluded["Won Date"].startswith("a time other than")
    assert parse_params(proposed(tmp_path, leads()).text).target.wait_days is None


@pytest.mark.parametrize(
    ("written", "order"),
    [("%d.%m.%Y", "day_first"), ("%m/%d/%Y", "month_first"), ("%d/%m/%Y %H:%M", "day_first"), ("%Y-%m-%d", None),
     ("%m/%d/%Y %I:%M %p", "month_first"), ("%d %b %Y", None)],
)  # fmt: skip
def test_the_order_of_day_and_month_comes_from_the_whole_column(
    tmp_path: Path, written: str, order: str | None
) -> None:
    """The same leads get the same dates, however they are written."""
    text = proposed(tmp_path, leads(Created=CREATED.strftime(written))).text
    params = parse_params(text)
    contract = Contract.from_params(params)
    loaded = load_leads(FileSource(tmp_path / "leads.csv", Dialect.from_params(params.data)), contract).frame
    meant = pd.Series(CREATED.strftime(written), index=[f"L{at}" for at in range(SIZE)])
    assert params.data.date_format == ({"Created": order} if order else None)
    expected = pd.to_datetime(meant, format=written).reindex(loaded["lead_id"]).to_numpy()
    np.testing.assert_array_equal(loaded["created_at"].to_numpy(), expected.astype("M8[us]").view(np.int64))


def test_an_open_order_of_day_and_month_is_a_question(tmp_path: Path) -> None:
    """The option of the message answers it."""
    created = [f"{1 + at % 12:02}/{1 + at % 11:02}/2024" for at in range(SIZE)]
    with pytest.raises(UndecidedError, match=r"Created has dates such as .* --date-format day_first, or") as caught:
        proposed(tmp_path, leads(Created=created))
    for order in caught.value.choices:
        params = parse_params(proposed(tmp_path, leads(Created=created), Answers(date_format=order)).text)
        assert params.data.date_format == {"Created": order}


def test_the_export_of_a_crm_is_read_as_that_crm_means_it(tmp_path: Path) -> None:
    """In Dynamics 365 a lead that is qualified has converted; what it fills in later is left out, whatever it tells."""
    status = np.where(IS_WON, "Qualified", RNG.choice(["Disqualified", "Open"], SIZE))
    frame = pd.DataFrame(
        {
            "(Do Not Modify) Lead": [f"{at:08x}-aaaa" for at in range(SIZE)],
            "(Do Not Modify) Row Checksum": [f"{at * 7919 % 99991:x}==" for at in range(SIZE)],
            "(Do Not Modify) Modified On": WON_AT.strftime("%m/%d/%Y"),
            "Topic": RNG.choice(["demo", "offer"], SIZE),
            "Created On": CREATED.strftime("%m/%d/%Y"),
            "Visits": VISITS,
            "Purchase Process": RNG.choice(["Individual", "Committee"], SIZE),
            "Status": status,
        }
    )
    result = proposed(tmp_path, frame)
    params = parse_params(result.text)
    assert "this is an export of Dynamics 365" in result.notes[0]
    assert (params.data.lead_id, params.data.created_at) == ("(Do Not Modify) Lead", "Created On")
    target = params.target
    assert (target.positive, target.negative, target.open) == (("Qualified",), ("Disqualified",), ("Open",))
    assert params.features.excluded["Purchase Process"] == "Dynamics 365 fills it in later"
    assert list({**params.features.fit, **params.features.engagement}) == ["Topic", "Visits"]


def test_a_person_may_name_the_columns(tmp_path: Path) -> None:
    """The names are taken as they are, and a name that does not exist is refused with the nearest."""
    frame = leads(other=[f"X{at}" for at in range(SIZE)], Changed=CREATED.strftime("%Y-%m-%d"))
    answers = Answers(lead_id="other", created_at="Changed", target="sale")
    params = parse_params(proposed(tmp_path, frame, answers).text)
    assert (params.data.lead_id, params.data.created_at, params.target.name) == ("other", "Changed", "sale")
    assert params.features.excluded["Lead ID"].startswith("an id: ")
    for wrong, message in ((Answers(lead_id="othr"), "--id must name .* nearest is 'other'"), (
        Answers(created_at="Change"), "--date must name a column, got 'Change'; the nearest is 'Changed'"
    )):  # fmt: skip
        with pytest.raises(LeadmlError, match=message):
            proposed(tmp_path, frame, wrong)


def test_columns_at_which_a_training_stops_are_left_out(tmp_path: Path) -> None:
    """A field that knows the outcome, and one that names people, have the finding as the reason."""
    noted = np.where(IS_WON, "signed", RNG.choice(["", "asked"], SIZE))
    frame = leads(note=noted, mail=[f"{at}@x.org" for at in range(SIZE)])
    result = proposed(tmp_path, frame)
    excluded = parse_params(result.text).features.excluded
    assert excluded["note"].startswith("LK")
    assert "e-mail addresses" in excluded["mail"]
    assert [each.column for each in result.roles] == list(frame.columns)
    places = Places(tmp_path, parse_params(result.text, overrides=SMALL), "status")
    assert check(places, now="2026-01-01", progress=lambda _: None).is_ready


def test_a_label_with_a_word_for_not_known_is_read_as_it_is_proposed(tmp_path: Path) -> None:
    """The word counts as no value, so the lead is open; what is proposed, check accepts."""
    status = np.where(IS_WON, "Won", RNG.choice(["Lost", "n/a"], SIZE, p=[0.9, 0.1]))
    params = parse_params(proposed(tmp_path, leads(Status=status)).text, overrides=SMALL)
    assert (params.data.missing, params.target.open) == (("n/a",), ("",))
    result = check(Places(tmp_path, params, "status"), now="2026-01-01", progress=lambda _: None)
    assert result.is_ready, result


def test_words_for_not_known_and_marks_of_numbers_are_proposed(tmp_path: Path) -> None:
    """A column of numbers with a few words is one of numbers, and every column is judged with the marks of all."""
    revenue = [f"{value:,.2f} €".translate(str.maketrans(",.", ".,")) for value in 100.5 * np.arange(SIZE)]
    size = np.resize(["1.200", "n/a", "2.345", "17", "-"], SIZE)
    params = parse_params(proposed(tmp_path, leads(Revenue=revenue, Size=size), sep=";").text)
    assert (params.data.decimal, params.data.missing) == (",", ("-", "n/a"))
    assert params.features.fit["Revenue"] == params.features.fit["Size"] == "number"


@pytest.mark.slow
def test_a_time_that_is_not_the_creation_is_excluded(tmp_path: Path, bank_file: Path) -> None:
    """The reason is that it is a time, not that it is constant."""
    leads = pd.read_csv(bank_file)
    leads["last_call"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(leads.index, unit="h")
    leads.to_parquet(tmp_path / "leads.parquet", index=False)

    params = parse_params(propose_params(tmp_path / "leads.parquet", written_as="x"))

    assert params.features.excluded["last_call"].startswith("a time other than")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,y\n", "must hold leads, got none below the header"),
        ("id,y\n1,yes,2\n", "must have 2 values as the header has, got 3"),
        ("", "got an empty file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A damaged file is refused before any role is proposed."""
    (tmp_path / "leads.csv").write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=message):
        propose_params(tmp_path / "leads.csv", written_as="leads.csv")


def test_where_nothing_is_left_to_learn_from_the_reasons_are_proposed(tmp_path: Path) -> None:
    """The text says of each column why it is excluded; a training then asks for a field."""
    rows = [f"A{at},{'no' if at % 3 else 'yes'},{0 if at % 3 else 9}" for at in range(900)]
    (tmp_path / "leads.csv").write_text("\n".join(["id,won,visits", *rows]), encoding="utf-8")
    proposal = propose(tmp_path / "leads.csv")

    (role,) = [each for each in proposal.roles if each.column == "visits"]
    assert (role.role, role.reason[:2]) == ("excluded", "LK")
    with pytest.raises(LeadmlError, match="a field must be in fit"):
        parse_params(proposal.text)
