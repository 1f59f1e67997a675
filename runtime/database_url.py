"""URLs of PostgreSQL in libpq's spelling. asyncpg parses them for every connection: they mean the same everywhere.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
DEFAULT_ROOT_CERTIFICATE = Path("~/.postgresql/root.crt")
PARAMETERS = frozenset({
    "host", "port", "dbname", "user", "password", "connect_timeout", "options", "target_session_attrs",
    "sslmode", "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version", *FILES,
})  # fmt: skip
"""What asyncpg honours. It would send every other parameter to the server as a setting."""


def url_problem(url: str) -> str | None:
    """What can't be honoured in the URL, or None. Never contains a value, which may be a password."""
    try:
        parts = urlsplit(url)
        ports = [part.rpartition(":")[2] for part in parts.netloc.rpartition("@")[2].split(",")]
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        return "must be a URL such as postgresql://user:password@host:5432/name?sslmode=verify-full"
    if parts.scheme not in ("postgresql", "postgres"):
        return "must start with postgresql://"
    if parts.fragment:
        return "has a #: write it as %23"
    numbers = [port for port in ports if port.isascii() and port.isdigit()]
    if any(not 0 < int(port) < 2**16 for port in numbers):
        return "has a port that is not between 1 and 65535"
    if unknown := sorted(given.keys() - PARAMETERS):
        hint = "; say ?sslmode=, as libpq does" if "ssl" in unknown else ""
        return f"has parameters that can't be honoured: {', '.join(unknown)}{hint}"
    return _value_problem(given)


def _value_problem(given: dict[str, str]) -> str | None:
    mode = given.get("sslmode", "prefer")
    if mode not in SSL_MODES:
        return f"has an unknown sslmode: use {', '.join(SSL_MODES)}"
    timeout = given.get("connect_timeout", "1")
    if not (timeout.isascii() and timeout.isdigit() and 0 < int(timeout) < 1000):
        return "has a connect_timeout that is not between 1 and 999 seconds"
    for name in FILES:
        if name in given and not Path(given[name]).is_file():
            return f"names a file for {name} that doesn't exist"
    if mode.startswith("verify") and "sslrootcert" not in given and not DEFAULT_ROOT_CERTIFICATE.expanduser().is_file():
        return f"has sslmode={mode}, which needs sslrootcert=file (or {DEFAULT_ROOT_CERTIFICATE})"
    return None


def connect_arguments(url: str, timeout: float) -> dict[str, Any]:
    """Arguments of asyncpg.connect. `timeout`: seconds to connect, if the URL has no `connect_timeout`."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    timeout = float(given.pop("connect_timeout", timeout))
    return {"dsn": parts._replace(query=urlencode(given)).geturl(), "timeout": timeout}


def credentials(url: str) -> tuple[str, str | None]:
    """The user and the password in the URL. Without a user: "", where clients take that of their environment."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    user = given.get("user") or unquote(parts.username or "")
    return user, given.get("password") or unquote(parts.password or "") or None
