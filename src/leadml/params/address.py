"""Check and show addresses of databases without giving away a secret.

``params.yaml`` is kept under version control, so an address in it must hold no password. A part of an address that may
be a password is refused like one, and an address that cannot be read in full is not shown at all.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator

from leadml.params.section import ValueName

ENVIRONMENT_NAME = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
ADDRESS = re.compile(
    rf"""(?: (?P<file> sqlite (?: \+pysqlite )? :/// [^?]* )
       | (?P<driver> [\w+]+ ://)
         (?: (?P<user> [^:/@;=]* ) (?P<password> : [^@]* )? @ )?
         (?P<place> (?: \[ [0-9a-fA-F:.]+ \] | [^:/?@;=]* ) (?: : (?: [0-9]{{1,5}} | {ENVIRONMENT_NAME} ) )?
                    (?: / (?: [^:?@;=%] | % (?! 3[BbDd] ) )* )? )
       ) (?P<options> \? [^@]* )?""",
    re.VERBOSE,
)
LIKE = "must be an address like postgresql://user:${NAME}@host/name or sqlite:///leads.db"
HIDDEN = "the address of the database"
PLAIN_OPTIONS = frozenset([
    "application_name", "charset", "client_encoding", "connect_timeout", "driver", "encrypt", "host", "keepalives",
    "keepalives_idle", "options", "port", "role", "schema", "service_name", "sslcert", "sslkey", "sslmode",
    "sslrootcert", "ssl_ca", "ssl_cert", "ssl_key", "target_session_attrs", "trusted_connection",
    "trustservercertificate", "unix_socket", "warehouse"
])  # fmt: skip


def shown_address(url: str) -> str:
    """Return an address without its secrets: driver, user, host, port and database.

    An address that cannot be read in full is replaced by a few words.

    Examples
    --------
    >>> shown_address("postgresql://ada:s3cr3t@localhost:5432/crm?sslmode=require")
    'postgresql://ada:***@localhost:5432/crm?***'
    >>> shown_address("host=localhost password=s3cr3t")
    'the address of the database'
    """
    found = ADDRESS.fullmatch(url)
    if found is None:
        return HIDDEN
    options = "?***" if found["options"] else ""
    if found["file"]:
        return f"{found['file']}{options}"
    user = "" if found["user"] is None else f"{found['user']}{':***' if found['password'] else ''}@"
    return f"{found['driver']}{user}{found['place']}{options}"


def refuse_password(url: str) -> str:
    """Return the address; refuse one that holds a password, or a part that may be one."""
    if re.fullmatch(ENVIRONMENT_NAME, url):
        return url
    found = ADDRESS.fullmatch(url)
    if found is None:
        msg = f"{LIKE}, got one that cannot be read; correct it, and write secrets as ${{NAME}} of the environment"
        raise ValueError(msg)
    where = "put it in the environment and write ${NAME} in its place"
    if not re.fullmatch(f":?(?:{ENVIRONMENT_NAME})*", found["password"] or ""):
        msg = f"must hold no password, got one; {where}"
        raise ValueError(msg)
    options = parse_qsl((found["options"] or "")[1:], keep_blank_values=True)
    if any(name.lower() not in PLAIN_OPTIONS and not re.fullmatch(ENVIRONMENT_NAME, value) for name, value in options):
        msg = f"must hold no password, got an option that may be one; {where}"
        raise ValueError(msg)
    return url


DatabaseAddress = Annotated[str, AfterValidator(refuse_password), ValueName("database address")]
