"""Container logs: the lines of the component's program, and lines that `/_sim/print` adds.

The container id contains the start time, so the program's lines follow from the pod's status alone.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.simulator.defaults import random_suffix
from sandbox.simulator.errors import ApiError, bad_request
from sandbox.simulator.kinds import POD, Manifest
from sandbox.simulator.objects import Change, Key, ObjectStore
from sandbox.simulator.programs import Programs, find_program

SECOND = 1_000_000_000
SIMULATED_LINE = "SIMULATED: no program runs here, so these lines are made up"
"""The first line of every log."""
HEARTBEAT_SECONDS = 5
MAX_HEARTBEATS = 1000
Line = tuple[int, str]
"""The time in nanoseconds since 1970, and the text."""


def new_container_id() -> str:
    """The id of a container that starts now; it contains the time."""
    return f"simulated://{time.time_ns()}-{random_suffix()}"


def container_id(row: Manifest) -> str:
    """The container id in a container status or in a terminated state."""
    if "containerID" in row:
        return str(row["containerID"])
    started_at = ((row.get("state") or {}).get("running") or row).get("startedAt")
    return f"simulated://{_parse_time(started_at)}-kept"  # a status from an earlier version of the simulator


class Logs:
    """The lines that `/_sim/print` added, and the open log streams."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.printed: defaultdict[str, list[Line]] = defaultdict(list)
        """By container id."""
        self.streams: set[LogStream] = set()

    def print_lines(self, objects: ObjectStore, namespace: str, component: str, lines: list[str]) -> int:
        """Add lines to a component's running containers; `namespace` is a prefix. Returns the number of containers."""
        running = [
            container_id(row)
            for key, stored in objects.all_of_kind(POD)
            if key.namespace.startswith(namespace) and _component(stored.manifest) == component
            for row in stored.manifest["status"].get("containerStatuses") or ()
            if "running" in row["state"]
        ]
        for run in running:
            now = time.time_ns()
            self.printed[run] += [(now + number, line) for number, line in enumerate(lines)]
        self._notify_streams()
        return len(running)

    def on_change(self, change: Change) -> None:
        """Notify the streams; discard the lines of a removed pod."""
        if change.key.kind is not POD:
            return
        if change.type == "DELETED":
            for row in change.stored.manifest["status"].get("containerStatuses") or ():
                self.printed.pop(container_id(row), None)
        self._notify_streams()

    def _notify_streams(self) -> None:
        for stream in self.streams:
            stream.changed.set()


def _component(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get("app.kubernetes.io/component", ""))


def read_log(logs: Logs, objects: ObjectStore, key: Key, query: Mapping[str, str]) -> Response:
    """The response to a log request. Raises ApiError 400, 404, 422, as an API server and its kubelet do."""
    pod = objects.get(key).manifest
    names = [one["name"] for part in ("initContainers", "containers") for one in pod["spec"].get(part) or ()]
    name = query.get("container") or (names[0] if len(names) == 1 else "")
    if not name:
        raise bad_request(f"a container name must be specified for pod {key.name}, choose one of: {names}")
    if name not in names:
        raise bad_request(f"container {name} is not valid for pod {key.name}")
    if not pod["spec"].get("nodeName"):
        return PlainTextResponse("")
    state, run = _run(pod, name, key.name, previous=_is_true(query, "previous"))
    stream = LogStream(logs, objects, key, name, run, state, query)
    if _is_true(query, "follow") and "running" in state:
        return stream
    return PlainTextResponse(stream.text(stream.initial_lines()))


def _is_true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "true")


def _container_status(pod: Manifest, name: str) -> Manifest:
    rows = [*(pod["status"].get("initContainerStatuses") or ()), *(pod["status"].get("containerStatuses") or ())]
    found: Manifest = next(row for row in rows if row["name"] == name)
    return found


def _run(pod: Manifest, name: str, where: str, *, previous: bool) -> tuple[Manifest, str]:
    """The state and the id of the container to read: the current one, or the previous one."""
    row = _container_status(pod, name)
    state, last = row["state"], row["lastState"]
    if previous or ("waiting" in state and last):
        if not last:
            raise bad_request(f'previous terminated container "{name}" in pod "{where}" not found')
        state = last
    if "waiting" in state:
        reason = state["waiting"]["reason"]
        raise bad_request(f'container "{name}" in pod "{where}" is waiting to start: {reason}')
    return state, container_id(state.get("terminated") or row)


class LogStream(Response):
    """Streams the log of one container until it ends."""

    def __init__(
        self, logs: Logs, objects: ObjectStore, key: Key, name: str, run: str, state: Manifest, query: Mapping[str, str]
    ) -> None:
        super().__init__(media_type="text/plain")
        self.changed = asyncio.Event()
        self.dropped = False
        self._logs, self._objects, self._key, self._name, self._run = logs, objects, key, name, run
        self._state = state
        self._program = find_program(logs.programs, objects.get(key).manifest)
        self._printed = logs.printed[run] if "running" in state else logs.printed.get(run, [])
        self._timestamps = _is_true(query, "timestamps")
        self._started_at = int(run.rpartition("/")[2].partition("-")[0])
        kept = max(0, (time.time_ns() - self._started_at) // (HEARTBEAT_SECONDS * SECOND) - MAX_HEARTBEATS)
        self._heartbeats_from = self._started_at + (1 + kept) * HEARTBEAT_SECONDS * SECOND
        self._tail_lines, self._since_time = _parse_count(query, "tailLines"), _parse_time(query.get("sinceTime"))

    def drop(self) -> None:
        """Cut the connection."""
        self.dropped = True
        self.changed.set()

    def initial_lines(self) -> list[Line]:
        """The lines printed until now that match tailLines and sinceTime."""
        lines = self._lines()
        if self._tail_lines is not None:
            lines = lines[len(lines) - min(self._tail_lines, len(lines)) :]
        return [line for line in lines if line[0] >= self._since_time]

    def _lines(self) -> list[Line]:
        """All lines of the container, oldest first. Later calls only add lines at the end."""
        ended = self._state.get("terminated")
        start = [SIMULATED_LINE, *self._program.log]
        lines = [(self._started_at + number * 1000, text) for number, text in enumerate(start)]
        if heartbeat := self._program.heartbeat:
            until = _parse_time(ended["finishedAt"]) if ended else time.time_ns()
            lines += [(at, heartbeat) for at in range(self._heartbeats_from, until, HEARTBEAT_SECONDS * SECOND)]
        lines = sorted([*lines, *self._printed])
        if ended and ended["exitCode"]:
            text = f"fatal: {ended.get('message') or 'error'} (exit code {ended['exitCode']})"
            lines.append((lines[-1][0] + 1000, text))
        return lines

    def text(self, lines: list[Line]) -> bytes:
        return "".join(f"{_timestamp(at) if self._timestamps else ''}{text}\n" for at, text in lines).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        disconnect_task = asyncio.create_task(self._wait_for_disconnect(receive))
        self._logs.streams.add(self)
        headers = [(b"content-type", b"text/plain")]
        try:
            sent = len(self._lines())
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self.text(self.initial_lines()), "more_body": True})
            while not self.dropped:
                self.changed.clear()
                ended = self._has_ended()
                lines = self._lines()
                if len(lines) > sent or ended:
                    body = self.text(lines[sent:])
                    await send({"type": "http.response.body", "body": body, "more_body": not ended})
                    sent = len(lines)
                if ended:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), HEARTBEAT_SECONDS / 10)
        finally:
            self._logs.streams.discard(self)
            disconnect_task.cancel()
        # a return without the last chunk makes the server cut the connection

    def _has_ended(self) -> bool:
        stored = self._objects.find(self._key)
        if stored is None:
            return True
        row = _container_status(stored.manifest, self._name)
        if container_id(row) == self._run and "running" in row["state"]:
            return False
        for state in (row["state"], row["lastState"]):
            if (ended := state.get("terminated")) and container_id(ended) == self._run:
                self._state = state
        return True

    async def _wait_for_disconnect(self, receive: Receive) -> None:
        """End the stream when the client disconnects."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.drop()


def _timestamp(at: int) -> str:
    seconds, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z "


def _parse_count(query: Mapping[str, str], name: str) -> int | None:
    given = query.get(name)
    if given is None:
        return None
    if not given.isdecimal():
        raise ApiError(422, "Invalid", f'PodLogOptions is invalid: {name}: Invalid value: "{given}"')
    return int(given)


def _parse_time(given: Any) -> int:
    """Nanoseconds since 1970, rounded down to seconds, as in the API. Raises ApiError 400."""
    if given is None:
        return 0
    try:
        return int(datetime.fromisoformat(given).timestamp()) * SECOND
    except ValueError:
        raise bad_request(f"invalid time: {given!r}") from None
