"""URLs of PostgreSQL are understood as libpq does, or refused when a process starts."""

from urllib.parse import quote

import asyncpg
import pytest

from runtime.database_url import SSL_MODES, connect_arguments, url_problem

ROOT_CERTIFICATE = f"sslrootcert={quote(__file__)}"
HONOURED = (
    "postgresql://user:p%40ss@db.example.com:5432/fleet",
    "postgres://db.example.com/fleet",
    "postgresql://storefleet@/fleet?host=%2Frun%2Fpostgres&port=5432",
    "postgresql://a:1,b:2/fleet?target_session_attrs=read-write",
    "postgresql://[::1]:5432/fleet",
    "postgresql://db/fleet?connect_timeout=5&options=-c%20search_path%3Dfleet",
)
REFUSED = {
    "mysql://db/fleet": "must start with postgresql://",
    "postgresql+asyncpg://db/fleet": "must start with postgresql://",
    "postgresql://db/fleet?ssl=prefer": "has parameters that can't be honoured: ssl; say ?sslmode=, as libpq does",
    "postgresql://db/fleet?channel_binding=require&pgbouncer=true": (
        "has parameters that can't be honoured: channel_binding, pgbouncer"
    ),
    "postgresql://db/fleet?sslmode=no-verify": f"has an unknown sslmode: use {', '.join(SSL_MODES)}",
    "postgresql://db/fleet?sslmode": "must be a URL",
    "postgresql://db/fleet?sslmode=verify-full&sslrootcert=/nowhere": "names a file for sslrootcert that doesn't exist",
    "postgresql://db/fleet?sslmode=verify-full": "has sslmode=verify-full, which needs sslrootcert=file",
    "postgresql://db/fleet?connect_timeout=soon": "has a connect_timeout that is not between 1 and 999 seconds",
    "postgresql://db:99999/fleet": "has a port that is not between 1 and 65535",
    "postgresql://[db/fleet": "must be a URL",
    "postgresql://me:secret#1@db/fleet": "has a #: write it as %23",
}


@pytest.fixture(autouse=True)
def _empty_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ~/.postgresql/root.crt."""
    monkeypatch.setenv("HOME", "/nowhere")


@pytest.mark.parametrize("url", HONOURED)
def test_what_libpq_understands(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize("mode", SSL_MODES)
def test_each_sslmode(mode: str) -> None:
    assert url_problem(f"postgresql://db/fleet?sslmode={mode}&{ROOT_CERTIFICATE}") is None


@pytest.mark.parametrize("url", REFUSED)
def test_what_cannot_be_honoured_is_refused(url: str) -> None:
    problem = url_problem(url)
    assert problem is not None
    assert problem.startswith(REFUSED[url])
    assert "secret" not in problem


def test_the_timeout_of_the_url_wins() -> None:
    assert connect_arguments("postgresql://u@/x?host=%2Frun", 15) == {
        "dsn": "postgresql://u@/x?host=%2Frun",
        "timeout": 15,
    }
    assert connect_arguments("postgresql://db/x?connect_timeout=3&sslmode=disable", 15) == {
        "dsn": "postgresql://db/x?sslmode=disable",
        "timeout": 3,
    }


@pytest.mark.parametrize("mode", ["disable", "prefer", "allow"])
async def test_the_driver_takes_every_url_that_is_not_refused(mode: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(**connect_arguments(f"postgresql://127.0.0.1:1/x?sslmode={mode}&connect_timeout=9", 5))
