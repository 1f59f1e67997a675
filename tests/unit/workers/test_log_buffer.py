"""The buffer of log items: order, rate limits, and how it counts and skips dropped lines."""

import pytest

from stores.log_protocol import (
    BYTES_PER_SECOND,
    LINES_PER_SECOND,
    MAX_LINE_BYTES,
    MAX_TAIL,
    LogAnswer,
    LogItem,
    LogRequest,
)
from workers.logs.buffer import MAX_QUEUED_BYTES, MAX_QUEUED_LINES, Buffer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def line(number: int, text: str = "x") -> LogItem:
    return LogItem("LINE", f"{number} {text}", number, "web-1", "web")


def fill(buffer: Buffer, first: int, last: int, text: str = "x") -> None:
    for number in range(first, last):
        buffer.add(line(number, text), {"web": [number]})


def test_lines_go_out_in_order_and_with_their_places() -> None:
    buffer = Buffer(Clock())
    assert buffer.take() == ([], {})
    fill(buffer, 0, 3)
    buffer.notice("something", "web-1")
    items, positions = buffer.take()
    assert [item.text for item in items] == ["0 x", "1 x", "2 x", "something"]
    assert (items[3].kind, items[3].pod, items[3].container) == ("NOTICE", "web-1", None)
    assert positions == {"web": [2]}


def test_no_more_lines_a_second_than_allowed() -> None:
    clock = Clock()
    buffer = Buffer(clock)
    fill(buffer, 0, LINES_PER_SECOND + 50)
    assert len(buffer.take()[0]) == LINES_PER_SECOND
    clock.now += 0.9
    assert buffer.take() == ([], {})
    clock.now += 0.1
    items, positions = buffer.take()
    assert (len(items), positions) == (50, {"web": [LINES_PER_SECOND + 49]})


def test_no_more_bytes_a_second_than_allowed() -> None:
    clock = Clock()
    buffer = Buffer(clock)
    fill(buffer, 0, 100, "x" * (MAX_LINE_BYTES - 10))
    while items := buffer.take()[0]:
        assert sum(len(item.text.encode()) for item in items) <= BYTES_PER_SECOND
        clock.now += 1
    assert not buffer.full


def test_the_longest_tail_fits() -> None:
    buffer = Buffer(Clock())
    fill(buffer, 0, MAX_TAIL, "x" * (MAX_LINE_BYTES - 4))
    assert not buffer.full


@pytest.mark.parametrize("text", ["x", "x" * (MAX_LINE_BYTES - 10)])
def test_what_is_too_much_is_counted_and_passed_over(text: str) -> None:
    clock = Clock()
    buffer = Buffer(clock)
    fill(buffer, 0, 3000, text)
    buffer.drop({"web": [3000]})
    seen: list[LogItem] = []
    positions: dict[str, object] = {}
    for _ in range(100):
        items, passed = buffer.take()
        seen += items
        positions |= passed
        clock.now += 1
    assert not buffer.full
    lines = [item for item in seen if item.kind == "LINE"]
    assert len(lines) <= min(MAX_QUEUED_LINES, MAX_QUEUED_BYTES // len(text))
    assert [item.at for item in lines] == list(range(len(lines)))
    assert seen[-1].text.startswith(f"{3001 - len(lines)} lines were left out here: ")
    assert [item.kind for item in seen].count("NOTICE") == 1
    assert positions == {"web": [3000]}  # resuming from here doesn't read them again


def test_after_what_was_left_out_lines_come_in_their_order() -> None:
    clock = Clock()
    buffer = Buffer(clock)
    fill(buffer, 0, MAX_QUEUED_LINES + 1)
    seen: list[str] = []
    for number in range(MAX_QUEUED_LINES + 1, MAX_QUEUED_LINES + 9):
        seen += [item.text for item in buffer.take()[0]]
        buffer.add(line(number), {})
        clock.now += 1
    seen += [item.text for item in buffer.take()[0]]
    notice = next(index for index, text in enumerate(seen) if "left out" in text)
    first_after = int(seen[notice + 1].split()[0])
    assert int(seen[notice].split()[0]) == first_after - MAX_QUEUED_LINES
    assert seen[notice - 1] == f"{MAX_QUEUED_LINES - 1} x"


def test_a_notice_is_said_once_until_it_is_so_no_longer() -> None:
    buffer = Buffer(Clock())
    for text in ("one", "one", "two", "one"):
        buffer.notify_once("web", text)
    buffer.notify_once("database", "one")
    buffer.clear_notice("web")
    buffer.clear_notice("nothing")
    buffer.notify_once("web", "one")
    assert [item.text for item in buffer.take()[0]] == ["one", "two", "one", "one", "one"]


def test_answers_and_requests_travel_as_they_are() -> None:
    answer = LogAnswer(7, [line(1), LogItem("NOTICE", "ö", 2)], {"web": [1, 2, "x"]}, "moved")
    assert LogAnswer.decode(answer.encode()) == answer
    assert LogAnswer.decode(LogAnswer(0, [], None).encode()).positions is None


@pytest.mark.parametrize(
    "change", [{"store_id": "none"}, {"tail": None}, {"places": 7}, {"channel": ...}, {"seconds": "x"}]
)
def test_a_job_that_is_no_request_is_refused(change: dict[str, object]) -> None:
    job = {"channel": "c", "store_id": "3f0d2c1e-8a4b-4c6d-9e7f-0123456789ab", "workload": "web"}
    whole = {**job, "tail": 9999, "seconds": 9e9, "places": {"web": [1]}}
    request = LogRequest.parse(whole)
    assert (request.tail, request.seconds) == (MAX_TAIL, 900)
    assert LogRequest.parse(request.job()) == request
    with pytest.raises(ValueError, match=r"request|badly|convert"):
        LogRequest.parse({name: value for name, value in {**whole, **change}.items() if value is not ...})
