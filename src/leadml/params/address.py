"""Addresses of databases: what of one may be shown, and what of one may stand in ``params.yaml``.

What enters is an address as SQLAlchemy reads it; what leaves is the address without its secrets.
It refuses a literal password and whatever cannot be told from one: an address that is not read to the last letter.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

NAMED = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
ADDRESS = re.compile(
    rf"""(?: (?P<file> sqlite (?: \+pysqlite )? :/// [^?]* )
       | (?P<driver> [\w+]+ ://)
         (?: (?P<user> [^:/@;=]* ) (?P<password> : [^@]* )? @ )?
         (?P<place> (?: \[ [0-9a-fA-F:.]+ \] | [^:/?@;=]* ) (?: : (?: [0-9]{{1,5}} | {NAMED} ) )?
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
    """Return what may be shown of an address: driver, user, host, port and database, where all of it could be read.

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


def no_password(url: str) -> str:
    """Refuse an address that holds a password, or what may be one."""
    if re.fullmatch(NAMED, url):
        return url
    found = ADDRESS.fullmatch(url)
    if found is None:
        msg = f"{LIKE}, got none that can be read; correct it, its secrets as ${{NAME}} of the environment"
        raise ValueError(msg)
    where = "put it in the environment and write ${NAME} in its place"
    if not re.fullmatch(f":?(?:{NAMED})*", found["password"] or ""):
        msg = f"must hold no password, got one; {where}"
        raise ValueError(msg)
    options = parse_qsl((found["options"] or "")[1:], keep_blank_values=True)
    if any(name.lower() not in PLAIN_OPTIONS and not re.fullmatch(NAMED, value) for name, value in options):
        msg = f"must hold no password, got an option that may be one; {where}"
        raise ValueError(msg)
    return url
