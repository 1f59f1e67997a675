"""The API over HTTP: paths become keys, verbs become writes, and faults come between."""

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

from sandbox.simulator import control, logs, writes
from sandbox.simulator.errors import ApiError, bad_request, expired, no_such_path
from sandbox.simulator.kinds import BY_PATH, REVIEW, Kind, Manifest, discover
from sandbox.simulator.objects import Key, Stored
from sandbox.simulator.patches import APPLY, apply, patch
from sandbox.simulator.selectors import compile_selector
from sandbox.simulator.watches import Watch
from sandbox.simulator.world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PARTS = {"Namespace": ("finalize",), "Pod": ("log",)}
"""Subresources besides status."""
HALF_A_CHARACTER = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")
"""As JSON may escape it, and YAML may not."""
SNAPSHOTS = 100
"""How many lists that are read page by page are remembered."""


@dataclass(slots=True)
class Target:
    """What a path names."""

    kind: Kind
    namespace: str | None
    """None for all of them; "" for kinds without."""
    name: str = ""
    part: str = ""
    """A subresource: status, finalize or log."""

    @property
    def key(self) -> Key:
        return Key(self.kind, self.namespace or "", self.name)


@dataclass
class Api:
    """The world, and the lists that are being read."""

    world: World
    snapshots: "OrderedDict[str, tuple[int, list[bytes]]]"


def build_app(world: World, token: str) -> Starlette:
    """The ASGI application; every request needs the bearer token. The controllers must be attached to the world."""
    api = Api(world, OrderedDict())
    app = Starlette(
        routes=[*control.routes(world, api.snapshots.clear), Route("/{path:path}", _handle, methods=METHODS)],
        middleware=[Middleware(_guarded, token=token)],
        exception_handlers={ApiError: _refuse},
    )
    app.state.api = api
    return app


def _guarded(app: ASGIApp, token: str) -> ASGIApp:
    basic = base64.b64encode(f"simulated:{token}".encode())  # kubectl sends no token without TLS, but this from a URL
    expected = (f"Bearer {token}".encode(), b"Basic " + basic)

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if any(secrets.compare_digest(given, good) for good in expected):
            await app(scope, receive, send)
        else:
            await _answer(ApiError(401, "Unauthorized", "Unauthorized").status(), 401)(scope, receive, send)

    return guard


def _refuse(request: Request, error: Exception) -> Response:
    refused = cast(ApiError, error)  # it is registered for no other
    return _answer(refused.status(), refused.code, refused.headers)


def _answer(body: Manifest, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), code, headers, media_type="application/json")


def _object(kind: Kind, stored: Stored, code: int = 200) -> Response:
    return Response(kind.head + stored.body[1:], code, media_type="application/json")


async def _handle(request: Request) -> Response:
    api: Api = request.app.state.api
    parts = [part for part in request.url.path.split("/") if part]
    if request.method == "GET" and len(parts) == 1 and parts[0] in ("healthz", "livez", "readyz"):
        return PlainTextResponse("ok")
    if request.method == "GET" and (document := discover(parts)) is not None:
        return _answer(document)
    if tuple(parts) == ("apis", *REVIEW) and request.method == "POST":
        return _review(api.world, await _body(request))
    target = _target(parts)
    body = await _body(request)
    await _suffer(api.world, request, target, body)
    match request.method:
        case "GET" if target.part == "log":
            return logs.read(api.world.logs, api.world.objects, target.key, request.query_params)
        case "GET" if target.name:
            return _object(target.kind, api.world.objects.get(target.key))
        case "GET":
            return _list(api, request, target)
        case "POST" if not target.name and target.namespace is not None:
            return _create(api.world, request, target, body)
        case "PUT" | "PATCH" if target.part == "log":
            pass
        case "PUT" if target.name:
            return _object(target.kind, writes.update(api.world, target.key, body, part=target.part))
        case "PATCH" if target.name:
            return _patch(api.world, request, target, body)
        case "DELETE" if target.name and not target.part:
            return _delete(api.world, request, target, body)
        case "DELETE" if not target.name and target.namespace is not None:
            return _delete_all(api.world, request, target)
    raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def _target(parts: list[str]) -> Target:
    """Raises ApiError 404 for paths that name nothing."""
    match parts:
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
    name, part = [*rest[1:], "", ""][:2]
    known = {"", *({"status"} if kind.status else ()), *PARTS.get(kind.name, ())}
    if part not in known or (name and kind.namespaced and namespace is None):
        raise no_such_path()
    return Target(kind, namespace if kind.namespaced else "", name, part)


async def _body(request: Request) -> Any:
    """The body, JSON or YAML; None when there is none. Raises ApiError 400."""
    raw = await request.body()
    if not raw:
        return None
    media = request.headers.get("content-type", "")
    if media.startswith("application/vnd.kubernetes.protobuf"):
        raise ApiError(415, "UnsupportedMediaType", "this simulation speaks JSON")
    if media.startswith(APPLY) and HALF_A_CHARACTER.search(raw):
        said = "yaml: found invalid Unicode character escape code"
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: {said}")
    try:
        return json.loads(raw)
    except ValueError:
        pass
    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from None


async def _suffer(world: World, request: Request, target: Target, body: Any) -> None:
    """The faults of requests. Raises ApiError with the code of one."""
    if not world.faults.rows:
        return
    verb = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(request.method, "")
    verbs = [verb or ("get" if target.name else "watch" if _watches(request) else "list")]
    if request.headers.get("content-type", "").startswith(APPLY):
        verbs.append("apply")
    stored = world.objects.find(target.key) if target.name else None
    manifest = body if isinstance(body, dict) and body.get("kind") == target.kind.name else {}
    manifest = stored.manifest if stored and not manifest else manifest
    inside = target.name if target.kind.name == "Namespace" else target.namespace or ""
    inside = inside or str((manifest.get("metadata") or {}).get("name", ""))
    manifest = {**manifest, "metadata": {**(manifest.get("metadata") or {}), "namespace": inside}}
    kinds = (target.kind.name,) if target.part != "log" else ("Pod", "Pod/log")
    subject = world.subject(manifest, *kinds, verbs=tuple(verbs))
    if fault := world.faults.take(subject, "hang"):
        with suppress(TimeoutError):
            await asyncio.wait_for(world.faults.replaced.wait(), fault.seconds)
    if fault := world.faults.take(subject, "http"):
        reasons = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
        reasons |= {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 422: "Invalid"}
        headers = {} if fault.retryAfter is None else {"Retry-After": f"{fault.retryAfter:g}"}
        reason = reasons.get(fault.code, "Unknown")
        raise ApiError(fault.code, reason, fault.message or f"a fault on demand: {reason}", headers=headers)


def _watches(request: Request) -> bool:
    return request.query_params.get("watch", "").lower() in ("1", "true")


def _list(api: Api, request: Request, target: Target) -> Response:
    query, objects, kind = request.query_params, api.world.objects, target.kind
    selector = compile_selector(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    namespace = target.namespace if kind.namespaced else ""
    if _watches(request):
        return Watch(objects, kind, namespace or "", selector, query)
    if (token := query.get("continue", "")) == "":
        asked = query.get("resourceVersion", "")
        if asked.isdecimal() and int(asked) > objects.version:
            message = f"Too large resource version: {asked}, current: {objects.version}"
            raise ApiError(504, "Timeout", message, details={"retryAfterSeconds": 1}, headers={"Retry-After": "1"})
        version = objects.version
        bodies = [stored.body for _, stored in objects.listed(kind, namespace, selector)]
    elif token in api.snapshots:
        version, bodies = api.snapshots.pop(token)
    else:
        raise expired("The provided continue parameter is too old")
    metadata: Manifest = {"resourceVersion": str(version)}
    if 0 < (limit := int(query.get("limit") or 0)) < len(bodies):
        bodies, rest = bodies[:limit], bodies[limit:]
        metadata |= {"continue": secrets.token_hex(16), "remainingItemCount": len(rest)}
        api.snapshots[metadata["continue"]] = (version, rest)
        if len(api.snapshots) > SNAPSHOTS:
            api.snapshots.popitem(last=False)
    head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata}
    content = b'%s,"items":[%s]}' % (json.dumps(head).encode()[:-1], b",".join(bodies))
    return Response(content, media_type="application/json")


def _create(world: World, request: Request, target: Target, body: Any) -> Response:
    dry = request.query_params.get("dryRun") == "All"
    stored = writes.create(world, target.kind, target.namespace or "", body, dry=dry)
    return _object(target.kind, stored, 201)


def _patch(world: World, request: Request, target: Target, body: Any) -> Response:
    content_type = request.headers.get("content-type", "").split(";")[0].strip()
    if content_type != APPLY:
        return _object(target.kind, patch(world, target.key, body, content_type, target.part))
    query = request.query_params
    manager, force = query.get("fieldManager", ""), query.get("force", "").lower() in ("1", "true")
    stored, new = apply(world, target.key, body, manager, force=force, part=target.part)
    return _object(target.kind, stored, 201 if new else 200)


def _delete(world: World, request: Request, target: Target, body: Any) -> Response:
    options = {**request.query_params, **(body if isinstance(body, dict) else {})}
    grace = options.get("gracePeriodSeconds")
    stored = writes.delete(
        world,
        target.key,
        preconditions=options.get("preconditions"),
        propagation=options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") is True else None),
        grace=None if grace is None else int(grace),
    )
    if world.objects.find(target.key) is not None:
        return _object(target.kind, stored)
    group = {"group": target.kind.group} if target.kind.group else {}
    details = {"name": target.name, **group, "kind": target.kind.plural, "uid": stored.manifest["metadata"]["uid"]}
    return _answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})


def _delete_all(world: World, request: Request, target: Target) -> Response:
    query = request.query_params
    selector = compile_selector(target.kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    gone = world.objects.listed(target.kind, target.namespace, selector)
    for key, _ in gone:
        writes.delete(world, key, propagation=query.get("propagationPolicy"))
    kind = {"kind": f"{target.kind.name}List", "apiVersion": target.kind.api_version}
    metadata = {"resourceVersion": str(world.objects.version)}
    return _answer({**kind, "metadata": metadata, "items": [stored.manifest for _, stored in gone]})


def _review(world: World, body: Any) -> Response:
    """SelfSubjectAccessReview: yes, unless a fault says no."""
    asked = ((body or {}).get("spec") or {}).get("resourceAttributes") or {}
    kind = BY_PATH.get((asked.get("group", ""), asked.get("version") or "v1", asked.get("resource", "")))
    subject = control.subject_of_review(asked, kind)
    denied = world.faults.take(subject, "denied") is not None
    status = {"allowed": not denied, **({"reason": "a fault on demand"} if denied else {})}
    return _answer({**(body or {}), "status": status}, 201)
