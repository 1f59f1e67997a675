"""A log line holds no secret, and no more of a request than is useful."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.logging import MAX_TEXT, configure_logging
from runtime.settings import Settings


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    before, handlers = structlog.get_config(), logging.getLogger().handlers
    yield
    structlog.configure(**before)
    logging.getLogger().handlers = handlers


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(capsys.readouterr().out)
    return parsed


@pytest.mark.parametrize("name", ["access_token", "password", "Authorization", "session_cookie", "sealed_value"])
def test_secrets_are_masked_by_their_names(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings.model_construct(log_format="json", log_level="info"))
    structlog.get_logger().info("signed.in", **{name: "olive", "user": "fig"})
    text = line(capsys)
    assert (text[name], text["user"], text["event"]) == ("***", "fig", "signed.in")


def test_long_texts_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings.model_construct(log_format="json", log_level="info"))
    structlog.get_logger().warning("request", path="x" * 300_000, short="y" * MAX_TEXT)
    text = line(capsys)
    assert text["path"] == "x" * MAX_TEXT + "… (300000 characters)"
    assert text["short"] == "y" * MAX_TEXT


def test_messages_of_exceptions_are_cut_and_their_frames_stay(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings.model_construct(log_format="json", log_level="info"))
    try:
        raise ValueError("x" * 300_000)
    except ValueError:
        structlog.get_logger().exception("request.failed")
    output = capsys.readouterr().out
    assert len(output) < 5 * MAX_TEXT
    assert json.loads(output)["exception"][0]["frames"]


def test_the_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings.model_construct(log_format="console", log_level="warning"))
    structlog.get_logger().info("not.shown")
    structlog.get_logger().warning("shown", count=2)
    output = capsys.readouterr().out
    assert "not.shown" not in output
    assert "shown" in output
    assert "count=2" in output
