"""What containers print: made up by component, the same whenever it is asked for, and what somebody has them print.

A run of a container begins at the time that its id names, so what it printed is known from its pod's status alone.
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

from sandbox.simulator.defaults import suffix
from sandbox.simulator.errors import ApiError, bad_request
from sandbox.simulator.kinds import POD, Manifest
from sandbox.simulator.objects import Change, Key, Objects

SECOND = 1_000_000_000
FIRST = "SIMULATED: no program runs here, so these lines are made up"
BEGINS: dict[str, tuple[str, ...]] = {
    "web": (
        "[mpm_prefork:notice] [pid 1] AH00163: Apache/2.4 (Debian) PHP/8.3 configured -- resuming normal operations",
        "[core:notice] [pid 1] AH00094: Command line: 'apache2 -D FOREGROUND'",
    ),
    "database": (
        "[System] [MY-010116] [Server] mysqld (mysqld 8.4) starting as process 1",
        "[System] [MY-013576] [InnoDB] InnoDB initialization has started.",
        "[System] [MY-013577] [InnoDB] InnoDB initialization has ended.",
        "[System] [MY-010931] [Server] mysqld: ready for connections. Version: '8.4'  port: 3306",
    ),
    "install": (
        "Waiting for the database.",
        "Installing WordPress.",
        "Installing WooCommerce.",
        "Setting up the shop.",
    ),
    "proof": ("Looking at a product.", "Putting it into the cart.", "Checking out.", "Cleaning up."),
    "rotate": ("Changing the password.",),
    "cron": ("Running what is due.",),
}
"""What a component's program says when it starts, after FIRST."""
BEATS = {"web": '10.244.0.1 - - "GET /readyz HTTP/1.1" 200 2 "-" "kube-probe/1.36"'}
"""What it says every BEAT seconds after that."""
BEAT = 5
BEATS_KEPT = 1000
Line = tuple[int, str]
"""When, in nanoseconds since 1970, and what."""


def new_id() -> str:
    """Of a run that begins now."""
    return f"simulated://{time.time_ns()}-{suffix()}"


def run_of(row: Manifest) -> str:
    """The id of the run that a container's status, or its terminated state, tells of."""
    if "containerID" in row:
        return str(row["containerID"])
    began = ((row.get("state") or {}).get("running") or row).get("startedAt")
    return f"simulated://{_time(began)}-kept"  # by an earlier version of the simulation


class Logs:
    """What was printed on demand, and who reads along."""

    def __init__(self) -> None:
        self.printed: defaultdict[str, list[Line]] = defaultdict(list)
        """By the id of the run."""
        self.readers: set[Reader] = set()

    def print(self, objects: Objects, namespace: str, component: str, lines: list[str]) -> int:
        """Have the running containers of such pods print; how many they are. `namespace` is a prefix."""
        found = [
            run_of(row)
            for key, stored in objects.everywhere(POD)
            if key.namespace.startswith(namespace) and _component(stored.manifest) == component
            for row in stored.manifest["status"].get("containerStatuses") or ()
            if "running" in row["state"]
        ]
        for run in found:
            now = time.time_ns()
            self.printed[run] += [(now + number, line) for number, line in enumerate(lines)]
        self._wake()
        return len(found)

    def changed(self, change: Change) -> None:
        """Tell who reads along; what a pod printed goes with it."""
        if change.key.kind is not POD:
            return
        if change.type == "DELETED":
            for row in change.stored.manifest["status"].get("containerStatuses") or ():
                self.printed.pop(run_of(row), None)
        self._wake()

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake.set()


def _component(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get("app.kubernetes.io/component", ""))


def read(logs: Logs, objects: Objects, key: Key, query: Mapping[str, str]) -> Response:
    """The answer to a request for a container's log. Raises ApiError as an API server and its kubelet do."""
    pod = objects.get(key).manifest
    names = [one["name"] for part in ("initContainers", "containers") for one in pod["spec"].get(part) or ()]
    name = query.get("container") or (names[0] if len(names) == 1 else "")
    if not name:
        raise bad_request(f"a container name must be specified for pod {key.name}, choose one of: {names}")
    if name not in names:
        raise bad_request(f"container {name} is not valid for pod {key.name}")
    if not pod["spec"].get("nodeName"):
        return PlainTextResponse("")
    state, run = _run(pod, name, key.name, previous=_is(query, "previous"))
    reader = Reader(logs, objects, key, name, run, state, query)
    if _is(query, "follow") and "running" in state:
        return reader
    return PlainTextResponse(reader.text(reader.first()))


def _is(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "true")


def _row(pod: Manifest, name: str) -> Manifest:
    rows = [*(pod["status"].get("initContainerStatuses") or ()), *(pod["status"].get("containerStatuses") or ())]
    found: Manifest = next(row for row in rows if row["name"] == name)
    return found


def _run(pod: Manifest, name: str, where: str, *, previous: bool) -> tuple[Manifest, str]:
    """The state and the id of the run that is meant."""
    row = _row(pod, name)
    state, last = row["state"], row["lastState"]
    if previous or ("waiting" in state and last):
        if not last:
            raise bad_request(f'previous terminated container "{name}" in pod "{where}" not found')
        state = last
    if "waiting" in state:
        reason = state["waiting"]["reason"]
        raise bad_request(f'container "{name}" in pod "{where}" is waiting to start: {reason}')
    return state, run_of(state.get("terminated") or row)


class Reader(Response):
    """Streams what one run prints, until it ends."""

    def __init__(
        self, logs: Logs, objects: Objects, key: Key, name: str, run: str, state: Manifest, query: Mapping[str, str]
    ) -> None:
        super().__init__(media_type="text/plain")
        self.wake = asyncio.Event()
        self.dropped = False
        self._logs, self._objects, self._key, self._name, self._run = logs, objects, key, name, run
        self._state, self._component = state, _component(objects.get(key).manifest)
        self._printed = logs.printed[run] if "running" in state else logs.printed.get(run, [])
        self._stamped = _is(query, "timestamps")
        self._began = int(run.rpartition("/")[2].partition("-")[0])
        kept = max(0, (time.time_ns() - self._began) // (BEAT * SECOND) - BEATS_KEPT)
        self._beats_from = self._began + (1 + kept) * BEAT * SECOND
        self._tail, self._since = _number(query, "tailLines"), _time(query.get("sinceTime"))

    def drop(self) -> None:
        """Cut the connection in the middle."""
        self.dropped = True
        self.wake.set()

    def first(self) -> list[Line]:
        """What was printed until now, as far as it was asked for."""
        lines = self._lines()
        if self._tail is not None:
            lines = lines[len(lines) - min(self._tail, len(lines)) :]
        return [line for line in lines if line[0] >= self._since]

    def _lines(self) -> list[Line]:
        """All of the run, oldest first. Later calls only add at the end."""
        ended = self._state.get("terminated")
        says = [FIRST, *BEGINS.get(self._component, ())]
        lines = [(self._began + number * 1000, text) for number, text in enumerate(says)]
        if beat := BEATS.get(self._component):
            until = _time(ended["finishedAt"]) if ended else time.time_ns()
            lines += [(at, beat) for at in range(self._beats_from, until, BEAT * SECOND)]
        lines = sorted([*lines, *self._printed])
        if ended and ended["exitCode"]:
            text = f"fatal: {ended.get('message') or 'something broke'} (exit code {ended['exitCode']})"
            lines.append((lines[-1][0] + 1000, text))
        return lines

    def text(self, lines: list[Line]) -> bytes:
        return "".join(f"{_stamp(at) if self._stamped else ''}{text}\n" for at, text in lines).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        listening = asyncio.create_task(self._until_gone(receive))
        self._logs.readers.add(self)
        headers = [(b"content-type", b"text/plain")]
        try:
            sent = len(self._lines())
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self.text(self.first()), "more_body": True})
            while not self.dropped:
                self.wake.clear()
                over = self._is_over()
                lines = self._lines()
                if len(lines) > sent or over:
                    body = self.text(lines[sent:])
                    await send({"type": "http.response.body", "body": body, "more_body": not over})
                    sent = len(lines)
                if over:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), BEAT / 10)
        finally:
            self._logs.readers.discard(self)
            listening.cancel()
        # returning without an end makes the server cut the connection

    def _is_over(self) -> bool:
        stored = self._objects.find(self._key)
        if stored is None:
            return True
        row = _row(stored.manifest, self._name)
        if run_of(row) == self._run and "running" in row["state"]:
            return False
        for state in (row["state"], row["lastState"]):
            if (ended := state.get("terminated")) and run_of(ended) == self._run:
                self._state = state
        return True

    async def _until_gone(self, receive: Receive) -> None:
        """End the stream when its reader has gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.drop()


def _stamp(at: int) -> str:
    seconds, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z "


def _number(query: Mapping[str, str], name: str) -> int | None:
    given = query.get(name)
    if given is None:
        return None
    if not given.isdecimal():
        raise ApiError(422, "Invalid", f'PodLogOptions is invalid: {name}: Invalid value: "{given}"')
    return int(given)


def _time(given: Any) -> int:
    """Whole seconds, as in the API: what is finer is cut off."""
    if given is None:
        return 0
    try:
        return int(datetime.fromisoformat(given).timestamp()) * SECOND
    except ValueError:
        raise bad_request(f"invalid time: {given!r}") from None
