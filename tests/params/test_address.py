"""Addresses of databases: no secret is shown, and none may be written into params.yaml."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tests.dated import small

from leadml.errors import ParamsError
from leadml.params import parse_params
from leadml.params.address import HIDDEN, LIKE, PLAIN_OPTIONS, DatabaseAddress, refuse_password, shown_address

REFUSED = r"^must hold no password, got one; put it in the environment and write \$\{NAME\} in its place$"
NO_OPTION = (
    r"^must hold no password, got an option that may be one; put it in the environment and write \$\{NAME\} in i"
)
WORD = st.text("abcxyz019", min_size=1, max_size=8)


@given(
    user=st.text(st.characters(exclude_characters=":/@?", codec="utf-8"), max_size=5),
    secret=st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: f"K{text}K"),
    place=st.sampled_from(["h/d", "h:5432/d", "[::1]/d", "/d", ""]),
    options=st.sampled_from(["", "?sslmode=require", "?password=K"]),
)
def test_a_password_is_never_shown(user: str, secret: str, place: str, options: str) -> None:
    """The address with another password is shown the same, or not at all."""
    shown = shown_address(f"postgresql://{user}:{secret}@{place}{options}")

    assert secret not in shown.replace(user, "") or secret in place
    assert shown in {shown_address(f"postgresql://{user}:other@{place}{options}"), HIDDEN}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql://ada@h/d", "postgresql://ada@h/d"),
        ("postgresql://ada:@h/d", "postgresql://ada:***@h/d"),
        ("postgresql+psycopg://ada:x@[::1]:5432/d?a=b", "postgresql+psycopg://ada:***@[::1]:5432/d?***"),
        ("postgresql://h:${PORT}/d", "postgresql://h:${PORT}/d"),
        ("sqlite:////srv/a@b;c=d.db", "sqlite:////srv/a@b;c=d.db"),
        ("sqlite:///x.db?key=x", "sqlite:///x.db?***"),
        ("postgresql://h:123456/d", HIDDEN),
        ("postgresql://h/d%3Bpassword=x", HIDDEN),
        ("", HIDDEN),
    ],
)
def test_an_address_is_shown_without_password_and_options(url: str, shown: str) -> None:
    """What cannot be read in full is not shown at all."""
    assert shown_address(url) == shown


@given(user=WORD, name=WORD.filter(lambda word: not word[0].isdigit()), host=WORD, port=st.integers(1, 65535))
def test_an_address_whose_secrets_are_in_the_environment_is_accepted_unchanged(
    user: str, name: str, host: str, port: int
) -> None:
    """The password, or the whole address, is a variable."""
    for url in (f"postgresql://{user}:${{{name}}}@{host}:{port}/d", f"postgresql://{user}@{host}/d", f"${{{name}}}"):
        assert refuse_password(url) == url


@pytest.mark.parametrize("option", sorted(PLAIN_OPTIONS))
def test_options_that_are_no_secret_are_accepted(option: str) -> None:
    """In lower and upper case; any other option needs a variable."""
    for name in (option, option.upper()):
        assert refuse_password(f"postgresql://h/d?{name}=x")
    assert refuse_password(f"postgresql://h/d?{option}=x&other=${{NAME}}")
    with pytest.raises(ValueError, match=NO_OPTION):
        refuse_password(f"postgresql://h/d?{option}=x&other=y")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:canary@h/d", REFUSED),
        ("postgresql://u:${NAME}canary@h/d", REFUSED),
        ("postgresql://h/d?password=canary", NO_OPTION),
        ("postgresql://h/d?canary=", NO_OPTION),
        (
            "host=h password=canary",
            f"^{re.escape(LIKE)}, got one that cannot be read; correct it, and write secrets as",
        ),
        ("${NAME};Pwd=canary", f"^{re.escape(LIKE)}, got one that cannot be read"),
        ("", f"^{re.escape(LIKE)}, got one that cannot be read"),
    ],
)
def test_an_address_with_a_password_is_refused(url: str, message: str) -> None:
    """Or with a part that may be one; the message does not repeat it."""
    with pytest.raises(ValueError, match=message) as caught:
        refuse_password(url)
    assert "canary" not in str(caught.value)
    with pytest.raises(ValidationError, match="must"):
        TypeAdapter(DatabaseAddress).validate_python(url)


@pytest.mark.parametrize("url", ["postgresql://h/d?password=canary",
                                 "postgresql://h/d?sslpassword=canary",
                                 "mssql+pyodbc:///?odbc_connect=Server%3Dh%3BPWD%3Dcanary",
                                 "postgresql://u:canary@h/d",
                                 "postgresql://u:can/canary@h/d",
                                 "postgresql://u:${NAME}canary@h/d",
                                 "postgresql://u:canary",
                                 "postgresql://h/d;password=canary",
                                 "postgresql://u:a@canary/a@h/d",
                                 "host=h password=canary",
                                 "${NAME};Pwd=canary"])  # fmt: skip
def test_a_literal_password_is_not_repeated(url: str) -> None:
    """Neither a password nor a part of an address that may be one is in the message."""
    for override in (f"sources.leads={{url: '{url}', table: a}}", f"output.database={url}"):
        with pytest.raises(ParamsError, match=r"must hold no password|must be an address like") as got:
            parse_params(yaml.safe_dump(small()), overrides=[override])

        assert "canary" not in str(got.value)
