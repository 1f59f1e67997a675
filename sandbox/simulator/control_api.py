"""The simulator's own endpoints, `/_sim/…`: faults, dropped connections, compaction, the clock, and log lines."""

import math
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.errors import bad_request
from sandbox.simulator.faults import FaultSubject
from sandbox.simulator.kinds import CLAIM, DEPLOYMENT, JOB, KINDS, NAMESPACE, POD, STATEFULSET, Kind, Manifest


def routes(cluster: ClusterState, on_compact: Callable[[], None]) -> list[Route]:
    """The routes; `on_compact` is called when the history is compacted."""

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            cluster.faults.replace(await _json(request))
            cluster.enqueue_all(NAMESPACE, CLAIM, POD, DEPLOYMENT, STATEFULSET, JOB)
        return JSONResponse(cluster.faults.to_json())

    async def drop_watches(_: Request) -> Response:
        dropped = [watcher for watchers in cluster.objects.watchers.values() for watcher in watchers]
        for watcher in dropped:
            watcher.drop()
        return JSONResponse({"dropped": len(dropped)})

    async def drop_logs(_: Request) -> Response:
        dropped = list(cluster.logs.streams)
        for stream in dropped:
            stream.drop()
        return JSONResponse({"dropped": len(dropped)})

    async def print_log_lines(request: Request) -> Response:
        body = await _json(request)
        try:
            namespace, component, lines = str(body["namespace"]), str(body["component"]), list(map(str, body["lines"]))
        except (TypeError, KeyError):
            raise bad_request('the body must be {"namespace": "prefix", "component": "web", "lines": ["…"]}') from None
        return JSONResponse({"containers": cluster.logs.print_lines(cluster.objects, namespace, component, lines)})

    async def compact(_: Request) -> Response:
        cluster.objects.compact()
        on_compact()
        return JSONResponse({"resourceVersion": str(cluster.objects.version)})

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            body = await _json(request)
            try:
                speed = float(body["speed"])
            except (TypeError, KeyError, ValueError):
                raise bad_request('the body must be {"speed": 1.0} or {"speed": "inf"}') from None
            if not speed > 0:
                raise bad_request("the speed must be more than 0")
            cluster.clock.speed = speed
        speed = cluster.clock.speed
        return JSONResponse({"speed": "inf" if math.isinf(speed) else speed, "now": cluster.clock.now()})

    async def counts(_: Request) -> Response:
        found = {kind.name: sum(1 for _ in cluster.objects.all_of_kind(kind)) for kind in KINDS}
        watchers = {kind.name: len(watching) for kind, watching in cluster.objects.watchers.items() if watching}
        objects = {name: count for name, count in found.items() if count}
        return JSONResponse({"objects": objects, "watchers": watchers, "logs": len(cluster.logs.streams)})

    return [
        Route("/_sim/faults", faults, methods=["GET", "POST"]),
        Route("/_sim/drop-watches", drop_watches, methods=["POST"]),
        Route("/_sim/drop-logs", drop_logs, methods=["POST"]),
        Route("/_sim/print", print_log_lines, methods=["POST"]),
        Route("/_sim/compact", compact, methods=["POST"]),
        Route("/_sim/clock", clock, methods=["GET", "POST"]),
        Route("/_sim/counts", counts, methods=["GET"]),
    ]


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise bad_request("the body must be JSON") from None


def subject_of_review(attributes: Manifest, kind: Kind | None) -> FaultSubject:
    """The resource attributes of a SelfSubjectAccessReview, for fault matching."""
    kinds = (kind.name if kind else "", str(attributes.get("resource", "")))
    return FaultSubject(attributes.get("namespace") or "", kinds=kinds, verbs=(str(attributes.get("verb", "")),))
