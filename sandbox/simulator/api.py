"""The API over HTTP: parses the path, injects faults, and calls the operation of the verb."""

import asyncio
import base64
import json
import re
import secrets
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import yaml
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.simulator import control_api, logs, writes
from sandbox.simulator.cluster_state import ClusterState
from sandbox.simulator.errors import ApiError, bad_request, expired, no_such_path
from sandbox.simulator.kinds import ACCESS_REVIEW, BY_PATH, Kind, Manifest, discovery_document
from sandbox.simulator.objects import Key, StoredObject
from sandbox.simulator.patches import APPLY_PATCH, apply, patch
from sandbox.simulator.selectors import compile_selector
from sandbox.simulator.watches import WatchResponse

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SUBRESOURCES = {"Namespace": ("finalize",), "Pod": ("log",)}
"""Subresources other than status."""
LONE_SURROGATE_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")
"""JSON allows this escape; YAML refuses it."""
MAX_LIST_SNAPSHOTS = 100
"""How many unfinished paginated lists are kept."""


@dataclass(slots=True)
class RequestInfo:
    """The object or collection, and the subresource, that a path names."""

    kind: Kind
    namespace: str | None
    """None means all namespaces; "" means a cluster-scoped kind."""
    name: str = ""
    subresource: str = ""
    """One of status, finalize, log; "" for the object itself."""

    @property
    def key(self) -> Key:
        return Key(self.kind, self.namespace or "", self.name)


@dataclass
class Api:
    """What the request handlers share."""

    cluster: ClusterState
    list_snapshots: "OrderedDict[str, tuple[int, list[bytes]]]"
    """By continue token: the resource version and the remaining items of a paginated list."""


def build_app(cluster: ClusterState, token: str) -> Starlette:
    """The ASGI application. Every request needs the token. The cluster's controllers must be started."""
    api = Api(cluster, OrderedDict())
    app = Starlette(
        routes=[
            *control_api.routes(cluster, api.list_snapshots.clear),
            Route("/{path:path}", _handle_request, methods=METHODS),
        ],
        middleware=[Middleware(_require_token, token=token)],
        exception_handlers={ApiError: _error_response},
    )
    app.state.api = api
    return app


def _require_token(app: ASGIApp, token: str) -> ASGIApp:
    # kubectl sends no token without TLS, but it sends the user and password of a URL
    basic = base64.b64encode(f"simulated:{token}".encode())
    expected = (f"Bearer {token}".encode(), b"Basic " + basic)

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if any(secrets.compare_digest(given, good) for good in expected):
            await app(scope, receive, send)
        else:
            await _json_response(ApiError(401, "Unauthorized", "Unauthorized").status(), 401)(scope, receive, send)

    return guard


def _error_response(request: Request, error: Exception) -> Response:
    api_error = cast(ApiError, error)  # the handler is registered for this class only
    return _json_response(api_error.status(), api_error.code, api_error.headers)


def _json_response(body: Manifest, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), code, headers, media_type="application/json")


def _object_response(kind: Kind, stored: StoredObject, code: int = 200) -> Response:
    return Response(kind.json_prefix + stored.body[1:], code, media_type="application/json")


async def _handle_request(request: Request) -> Response:
    api: Api = request.app.state.api
    segments = [segment for segment in request.url.path.split("/") if segment]
    if request.method == "GET" and len(segments) == 1 and segments[0] in ("healthz", "livez", "readyz"):
        return PlainTextResponse("ok")
    if request.method == "GET" and (document := discovery_document(segments)) is not None:
        return _json_response(document)
    if tuple(segments) == ("apis", *ACCESS_REVIEW) and request.method == "POST":
        return _review_access(api.cluster, await _read_body(request))
    info = _parse_path(segments)
    body = await _read_body(request)
    await _inject_faults(api.cluster, request, info, body)
    match request.method:
        case "GET" if info.subresource == "log":
            return logs.read_log(api.cluster.logs, api.cluster.objects, info.key, request.query_params)
        case "GET" if info.name:
            return _object_response(info.kind, api.cluster.objects.get(info.key))
        case "GET":
            return _list(api, request, info)
        case "POST" if not info.name and info.namespace is not None:
            return _create(api.cluster, request, info, body)
        case "PUT" | "PATCH" if info.subresource == "log":
            pass
        case "PUT" if info.name:
            return _object_response(info.kind, writes.update(api.cluster, info.key, body, subresource=info.subresource))
        case "PATCH" if info.name:
            return _patch(api.cluster, request, info, body)
        case "DELETE" if info.name and not info.subresource:
            return _delete(api.cluster, request, info, body)
        case "DELETE" if not info.name and info.namespace is not None:
            return _delete_collection(api.cluster, request, info)
    raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _parse_path(segments: list[str]) -> RequestInfo:
    """Raises ApiError 404 for an unknown path."""
    match segments:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            raise no_such_path()
    namespace = None
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = BY_PATH.get((group, version, rest[0])) if rest else None
    if kind is None or len(rest) > 3 or (namespace is not None and not kind.namespaced):
        raise no_such_path()
    name, subresource = [*rest[1:], "", ""][:2]
    known = {"", *({"status"} if kind.status else ()), *SUBRESOURCES.get(kind.name, ())}
    if subresource not in known or (name and kind.namespaced and namespace is None):
        raise no_such_path()
    return RequestInfo(kind, namespace if kind.namespaced else "", name, subresource)


async def _read_body(request: Request) -> Any:
    """The body, decoded from JSON or YAML; None for an empty body. Raises ApiError 400, 415."""
    raw = await request.body()
    if not raw:
        return None
    media = request.headers.get("content-type", "")
    if media.startswith("application/vnd.kubernetes.protobuf"):
        raise ApiError(415, "UnsupportedMediaType", "the simulator supports JSON only")
    if media.startswith(APPLY_PATCH) and LONE_SURROGATE_ESCAPE.search(raw):
        reason = "yaml: found invalid Unicode character escape code"
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: {reason}")
    try:
        return json.loads(raw)
    except ValueError:
        pass
    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from None


async def _inject_faults(cluster: ClusterState, request: Request, info: RequestInfo, body: Any) -> None:
    """Apply the faults `hang` and `http`. Raises ApiError with the code of the fault."""
    if not cluster.faults.active:
        return
    verb = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(request.method, "")
    verbs = [verb or ("get" if info.name else "watch" if _is_watch(request) else "list")]
    if request.headers.get("content-type", "").startswith(APPLY_PATCH):
        verbs.append("apply")
    stored = cluster.objects.find(info.key) if info.name else None
    manifest = body if isinstance(body, dict) and body.get("kind") == info.kind.name else {}
    manifest = stored.manifest if stored and not manifest else manifest
    namespace = info.name if info.kind.name == "Namespace" else info.namespace or ""
    namespace = namespace or str((manifest.get("metadata") or {}).get("name", ""))
    manifest = {**manifest, "metadata": {**(manifest.get("metadata") or {}), "namespace": namespace}}
    kinds = (info.kind.name,) if info.subresource != "log" else ("Pod", "Pod/log")
    subject = cluster.subject(manifest, *kinds, verbs=tuple(verbs))
    if fault := cluster.faults.consume(subject, "hang"):
        with suppress(TimeoutError):
            await asyncio.wait_for(cluster.faults.replaced.wait(), fault.seconds)
    if fault := cluster.faults.consume(subject, "http"):
        reasons = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
        reasons |= {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 422: "Invalid"}
        headers = {} if fault.retryAfter is None else {"Retry-After": f"{fault.retryAfter:g}"}
        reason = reasons.get(fault.code, "Unknown")
        raise ApiError(fault.code, reason, fault.message or f"injected fault: {reason}", headers=headers)


def _is_watch(request: Request) -> bool:
    return request.query_params.get("watch", "").lower() in ("1", "true")


def _list(api: Api, request: Request, info: RequestInfo) -> Response:
    query, objects, kind = request.query_params, api.cluster.objects, info.kind
    selector = compile_selector(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    namespace = info.namespace if kind.namespaced else ""
    if _is_watch(request):
        return WatchResponse(objects, kind, namespace or "", selector, query)
    if (token := query.get("continue", "")) == "":
        requested = query.get("resourceVersion", "")
        if requested.isdecimal() and int(requested) > objects.version:
            message = f"Too large resource version: {requested}, current: {objects.version}"
            raise ApiError(504, "Timeout", message, details={"retryAfterSeconds": 1}, headers={"Retry-After": "1"})
        version = objects.version
        bodies = [stored.body for _, stored in objects.list_sorted(kind, namespace, selector)]
    elif token in api.list_snapshots:
        version, bodies = api.list_snapshots.pop(token)
    else:
        raise expired("The provided continue parameter is too old")
    metadata: Manifest = {"resourceVersion": str(version)}
    if 0 < (limit := int(query.get("limit") or 0)) < len(bodies):
        bodies, rest = bodies[:limit], bodies[limit:]
        metadata |= {"continue": secrets.token_hex(16), "remainingItemCount": len(rest)}
        api.list_snapshots[metadata["continue"]] = (version, rest)
        if len(api.list_snapshots) > MAX_LIST_SNAPSHOTS:
            api.list_snapshots.popitem(last=False)
    head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata}
    content = b'%s,"items":[%s]}' % (json.dumps(head).encode()[:-1], b",".join(bodies))
    return Response(content, media_type="application/json")


def _create(cluster: ClusterState, request: Request, info: RequestInfo, body: Any) -> Response:
    dry_run = request.query_params.get("dryRun") == "All"
    stored = writes.create(cluster, info.kind, info.namespace or "", body, dry_run=dry_run)
    return _object_response(info.kind, stored, 201)


def _patch(cluster: ClusterState, request: Request, info: RequestInfo, body: Any) -> Response:
    content_type = request.headers.get("content-type", "").split(";")[0].strip()
    if content_type != APPLY_PATCH:
        return _object_response(info.kind, patch(cluster, info.key, body, content_type, info.subresource))
    query = request.query_params
    manager, force = query.get("fieldManager", ""), query.get("force", "").lower() in ("1", "true")
    stored, new = apply(cluster, info.key, body, manager, force=force, subresource=info.subresource)
    return _object_response(info.kind, stored, 201 if new else 200)


def _delete(cluster: ClusterState, request: Request, info: RequestInfo, body: Any) -> Response:
    options = {**request.query_params, **(body if isinstance(body, dict) else {})}
    grace = options.get("gracePeriodSeconds")
    stored = writes.delete(
        cluster,
        info.key,
        preconditions=options.get("preconditions"),
        propagation=options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") is True else None),
        grace=None if grace is None else int(grace),
    )
    if cluster.objects.find(info.key) is not None:
        return _object_response(info.kind, stored)
    group = {"group": info.kind.group} if info.kind.group else {}
    details = {"name": info.name, **group, "kind": info.kind.plural, "uid": stored.manifest["metadata"]["uid"]}
    return _json_response(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    )


def _delete_collection(cluster: ClusterState, request: Request, info: RequestInfo) -> Response:
    query = request.query_params
    selector = compile_selector(info.kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    deleted = cluster.objects.list_sorted(info.kind, info.namespace, selector)
    for key, _ in deleted:
        writes.delete(cluster, key, propagation=query.get("propagationPolicy"))
    kind = {"kind": f"{info.kind.name}List", "apiVersion": info.kind.api_version}
    metadata = {"resourceVersion": str(cluster.objects.version)}
    return _json_response({**kind, "metadata": metadata, "items": [stored.manifest for _, stored in deleted]})


def _review_access(cluster: ClusterState, body: Any) -> Response:
    """Answer a SelfSubjectAccessReview: allowed, unless a fault denies it."""
    attributes = ((body or {}).get("spec") or {}).get("resourceAttributes") or {}
    kind = BY_PATH.get((attributes.get("group", ""), attributes.get("version") or "v1", attributes.get("resource", "")))
    subject = control_api.subject_of_review(attributes, kind)
    denied = cluster.faults.consume(subject, "denied") is not None
    status = {"allowed": not denied, **({"reason": "injected fault"} if denied else {})}
    return _json_response({**(body or {}), "status": status}, 201)
