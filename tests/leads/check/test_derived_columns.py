"""Any e-mail, title, size or country has one of a few listed classes."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.derived_columns import (
    DERIVATIONS,
    DISPOSABLE,
    FREE,
    LARGE_SIZE_BANDS,
    LARGEST_BAND,
    SIZE_BANDS,
    TITLE_DEPARTMENTS,
    TITLE_RANKS,
    company_size,
    country,
    derive_columns,
    derived_fields,
    email_domain,
    title_department,
    title_rank,
)
from leadml.params import DerivedParams

ISO = {
    line.split("\t")[0]
    for line in files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
}
CLASSES = {
    "email_domain": {"free", "company", "education", "government", "disposable", "no address"},
    "title_rank": {name for name, _ in TITLE_RANKS} | {"specialist"},
    "title_department": {name for name, _ in TITLE_DEPARTMENTS} | {"other"},
    "company_size": {band for _, band in (*SIZE_BANDS, *LARGE_SIZE_BANDS)} | {LARGEST_BAND, "other"},
    "country_code": ISO | {"other"},
}
DERIVE = {name: derive for derivations in DERIVATIONS.values() for name, derive in derivations}
HOSTILE = [
    "", " ", "\0", "a\0b@c.com", "@", "a@b", "@@@", "a@", "@b.com", "a@.com", "a@b..com", "a@b.c", "1e400", "-1", "1.",
    ".", "٣٤٥", "²", "9" * 5000, "1" * 20_000 + "a", "a" * 20_000, "a@" + "b." * 5000 + "com", "1,234,567,890,123,456",
    "1 " * 5000, "gesch" * 4000, "\u202e\u200b", "😀", "NaN", "null", "=1+1", "<b>", "x" * 5000 + "@gmail.com",
    "ı", "İ",
    "1" + ",000" * 3000, "sekret" * 3000, "(" * 3000, "\n\n", "ß", "Ǆ",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", DERIVE)
@given(text=st.one_of(st.text(), st.from_regex(r"[\w.]{0,9}@([a-z-]{1,9}\.){0,3}[a-z]{0,4}"), st.sampled_from(HOSTILE)))
def test_any_text_has_one_of_the_listed_classes(name: str, text: str) -> None:
    """No function raises or returns a part of the text."""
    assert DERIVE[name](text) in CLASSES[name]


@pytest.mark.parametrize("name", DERIVE)
def test_hostile_texts_have_one_of_the_listed_classes(name: str) -> None:
    """Empty, very long and unusual texts have a class like any other."""
    assert {DERIVE[name](text) for text in HOSTILE} <= CLASSES[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", DERIVE)
@given(text=st.text(st.characters(codec="ascii"), max_size=30))
def test_case_and_surrounding_spaces_do_not_matter(name: str, text: str) -> None:
    """A text has the same class in upper case and with spaces before and after it."""
    assert DERIVE[name](f"  {text.upper()}\t") == DERIVE[name](text) == DERIVE[name](text.lower())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@acme.com", "company"),
        ("ANN@ACME.CO.UK ", "company"),
        ("ann+list@sub.acme.de", "company"),
        ("ann@gmail.com", "free"),
        ("ann@yahoo.co.uk", "free"),
        ("ann@hotmail.com.br", "free"),
        ("ann@gmx.de", "free"),
        ("ann@notgmail.com", "company"),
        ("ann@gmail.acme", "free"),
        ("ann@mailinator.com", "disposable"),
        ("ann@x.yopmail.com", "disposable"),
        ("ann@mit.edu", "education"),
        ("ann@ox.ac.uk", "education"),
        ("ann@uni-bonn.de", "education"),
        ("ann@education-first.com", "company"),
        ("ann@nih.gov", "government"),
        ("ann@health.gov.au", "government"),
        ("ann@service.gouv.fr", "government"),
        ("ann@gov-it.com", "company"),
        ("ann at acme.com", "no address"),
        ("ann@localhost", "no address"),
        ("ann@@acme.com", "no address"),
        ("a b@acme.com", "no address"),
        ("", "no address"),
    ],
)
def test_a_domain_has_the_class_of_its_owner(text: str, expected: str) -> None:
    """The owner is a company, a free provider, a school, an authority or a provider of disposable addresses."""
    assert email_domain(text) == expected


@pytest.mark.parametrize("sub", ["mail", "me", "pm", "live", "web"])
def test_the_mail_server_of_a_company_is_not_a_free_provider(sub: str) -> None:
    """An address at mail.acme.com belongs to the company acme."""
    assert email_domain(f"ann@{sub}.acme.com") == "company"


@pytest.mark.parametrize(
    ("text", "rank", "department"),
    [
        ("CEO", "executive", "general management"),
        ("Co-Founder & CTO", "executive", "it"),
        ("CMO", "executive", "marketing"),
        ("Managing Director", "executive", "general management"),
        ("Geschäftsführer", "executive", "general management"),
        ("Geschaeftsfuehrerin", "executive", "general management"),
        ("VP of Marketing", "vice president", "marketing"),
        ("SVP, Sales", "vice president", "sales"),
        ("Vice President Operations", "vice president", "operations"),
        ("Head of People", "director", "human resources"),
        ("IT-Leiter", "manager", "it"),
        ("Vertriebsleiterin", "manager", "sales"),
        ("Team Lead Data", "manager", "it"),
        ("Marketing Manager", "manager", "marketing"),
        ("Executive Assistant to the CEO", "assistant", "general management"),
        ("Marketing Intern", "student", "marketing"),
        ("Werkstudent Einkauf", "student", "purchasing"),
        ("Software Engineer", "specialist", "it"),
        ("Buyer", "specialist", "purchasing"),
        ("Customer Success", "specialist", "support"),
        ("Legal Counsel", "specialist", "legal"),
        ("Product Owner", "executive", "product"),
        ("Quality", "specialist", "operations"),
        ("Clown", "specialist", "other"),
        ("", "specialist", "other"),
    ],
)
def test_a_title_has_a_rank_and_a_department(text: str, rank: str, department: str) -> None:
    """The class is the first with a whole word in the title."""
    assert (title_rank(text), title_department(text)) == (rank, department)


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("1", "1"), ("0", "1"), ("2", "2-10"), ("10", "2-10"), ("11", "11-50"), ("50", "11-50"), ("51", "51-200"),
        ("200.0", "51-200"), ("201", "201-500"), ("1000", "501-1,000"), ("1,001", "1,001-5,000"),
        ("1.001", "1,001-5,000"), ("5001", "5,001-10,000"), ("10 000", "5,001-10,000"), ("10'001", LARGEST_BAND),
        ("2-10", "2-10"), ("11 - 50", "11-50"), ("51 to 200 employees", "51-200"), ("1k-5k", "1,001-5,000"),
        ("10000+", "5,001-10,000"), ("2 Tsd", "1,001-5,000"), ("1,234,567", LARGEST_BAND), ("many", "other"),
        ("", "other"), ("ten", "other"),
    ],
)  # fmt: skip
def test_a_size_has_its_band(text: str, band: str) -> None:
    """Numbers and bands are read in the formats that exports use."""
    assert company_size(text) == band


@given(st.integers(1, 10**9))
def test_a_number_of_employees_has_the_band_that_encloses_it(number: int) -> None:
    """The band is the same with and without thousands separators."""
    bounds = [(most, band) for most, band in (*SIZE_BANDS, *LARGE_SIZE_BANDS)]
    band = next((band for most, band in bounds if number <= most), LARGEST_BAND)
    dotted = f"{number:,}".replace(",", ".")

    assert {company_size(text) for text in (str(number), f"{number:,}", dotted, f"{number}.0")} == {band}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"), ("de", "DE"), ("Germany", "DE"), (" germany ", "DE"), ("Deutschland", "DE"), ("UK", "GB"),
        ("United Kingdom", "GB"), ("USA", "US"), ("United States", "US"), ("U.S.A.", "US"), ("NL", "NL"), ("NA", "NA"),
        ("Österreich", "AT"), ("ÖSTERREICH", "AT"), ("Türkiye", "TR"), ("Brasil", "BR"), ("France", "FR"),
        ("Atlantis", "other"), ("", "other"), ("D", "other"), ("Deutsch", "other"), ("EU", "other"),
    ],
)  # fmt: skip
def test_a_country_has_its_iso_code(text: str, code: str) -> None:
    """Codes, names and some common names are read."""
    assert country(text) == code


def test_every_code_of_the_table_is_its_own_code() -> None:
    """All codes of the table of countries are read."""
    assert {country(code) for code in ISO} == ISO
    assert all(re.fullmatch("[A-Z]{2}", code) for code in ISO)


def test_no_domain_is_both_free_and_disposable() -> None:
    """The lists of free and of disposable providers have no domain in common."""
    assert not FREE & DISPOSABLE


def _objects(*values: str | None) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def test_missing_values_stay_missing_and_evidence_is_counted() -> None:
    """A missing text has no class; evidence says whether each column is filled, and how many are."""
    choices = DerivedParams(email="mail", title="job", company_size="size", country="land", evidence=("need", "budget"))
    texts = {
        "mail": _objects("a@gmail.com", None, "x"),
        "job": _objects(None, "CEO", "CEO"),
        "size": _objects("5", "5", None),
        "land": _objects("fr", None, "??"),
        "need": _objects("yes", None, "no"),
        "budget": _objects(None, None, "10k"),
    }
    columns = derive_columns(texts, choices)

    assert {name: values.tolist() for name, values in columns.items()} == {
        "email_domain": ["free", None, "no address"],
        "title_rank": [None, "executive", "executive"],
        "title_department": [None, "general management", "general management"],
        "company_size": ["2-10", "2-10", None],
        "country_code": ["FR", None, "other"],
        "need_given": [1.0, 0.0, 1.0],
        "budget_given": [0.0, 0.0, 1.0],
        "evidence_given": [1.0, 0.0, 2.0],
    }
    assert [field.name for field in derived_fields(choices)] == list(columns)


@pytest.mark.parametrize(
    ("choices", "names"),
    [
        (DerivedParams(), []),
        (DerivedParams(title="job"), ["title_rank", "title_department"]),
        (DerivedParams(evidence=("need",)), ["need_given", "evidence_given"]),
    ],
)
def test_only_the_fields_of_the_choices_are_derived(choices: DerivedParams, names: list[str]) -> None:
    """Choices without a column give no field, and no leads give no values."""
    assert [field.name for field in derived_fields(choices)] == names
    empty = derive_columns({column: _objects() for column in choices.columns}, choices)
    assert {name: len(values) for name, values in empty.items()} == dict.fromkeys(names, 0)
    assert all((field.group, field.source) == ("fit", "derived") for field in derived_fields(choices))
