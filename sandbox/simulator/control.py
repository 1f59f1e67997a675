"""The simulation's own paths, `/_sim/…`: faults, dropped streams, forgotten history, the clock, and words to print."""

import math
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.simulator.errors import bad_request
from sandbox.simulator.faults import Subject
from sandbox.simulator.kinds import CLAIM, DEPLOYMENT, JOB, KINDS, NAMESPACE, POD, STATEFULSET, Kind, Manifest
from sandbox.simulator.world import World


def routes(world: World, forget: Callable[[], None]) -> list[Route]:
    """`forget` is called when the history is compacted."""

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            world.faults.replace(await _json(request))
            world.wake_all(NAMESPACE, CLAIM, POD, DEPLOYMENT, STATEFULSET, JOB)
        return JSONResponse(world.faults.shown())

    async def drop_watches(_: Request) -> Response:
        dropped = [watcher for watchers in world.objects.watchers.values() for watcher in watchers]
        for watcher in dropped:
            watcher.drop()
        return JSONResponse({"dropped": len(dropped)})

    async def drop_logs(_: Request) -> Response:
        dropped = list(world.logs.readers)
        for reader in dropped:
            reader.drop()
        return JSONResponse({"dropped": len(dropped)})

    async def print_lines(request: Request) -> Response:
        body = await _json(request)
        try:
            namespace, component, lines = str(body["namespace"]), str(body["component"]), list(map(str, body["lines"]))
        except (TypeError, KeyError):
            raise bad_request('to print takes {"namespace": "store-", "component": "web", "lines": ["…"]}') from None
        return JSONResponse({"containers": world.logs.print(world.objects, namespace, component, lines)})

    async def compact(_: Request) -> Response:
        world.objects.compact()
        forget()
        return JSONResponse({"resourceVersion": str(world.objects.version)})

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            body = await _json(request)
            try:
                speed = float(body["speed"])
            except (TypeError, KeyError, ValueError):
                raise bad_request('the clock wants {"speed": 1.0}, or "inf"') from None
            if not speed > 0:
                raise bad_request("the speed must be more than 0")
            world.clock.speed = speed
        speed = world.clock.speed
        return JSONResponse({"speed": "inf" if math.isinf(speed) else speed, "now": world.clock.now()})

    async def counts(_: Request) -> Response:
        found = {kind.name: sum(1 for _ in world.objects.everywhere(kind)) for kind in KINDS}
        watchers = {kind.name: len(watching) for kind, watching in world.objects.watchers.items() if watching}
        objects = {name: count for name, count in found.items() if count}
        return JSONResponse({"objects": objects, "watchers": watchers, "logs": len(world.logs.readers)})

    return [
        Route("/_sim/faults", faults, methods=["GET", "POST"]),
        Route("/_sim/drop-watches", drop_watches, methods=["POST"]),
        Route("/_sim/drop-logs", drop_logs, methods=["POST"]),
        Route("/_sim/print", print_lines, methods=["POST"]),
        Route("/_sim/compact", compact, methods=["POST"]),
        Route("/_sim/clock", clock, methods=["GET", "POST"]),
        Route("/_sim/counts", counts, methods=["GET"]),
    ]


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise bad_request("the body must be JSON") from None


def subject_of_review(asked: Manifest, kind: Kind | None) -> Subject:
    """What a SelfSubjectAccessReview asks for, as a fault sees it."""
    kinds = (kind.name if kind else "", str(asked.get("resource", "")))
    return Subject(asked.get("namespace") or "", kinds=kinds, verbs=(str(asked.get("verb", "")),))
