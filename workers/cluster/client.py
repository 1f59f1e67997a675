"""A thin client: manifests as dicts in and out, every call ends in CALL_SECONDS, every failure has a type.

`ApiClient.call_api` without its models is six times faster than the typed methods, and dicts are what we render.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from prometheus_client import Counter

from stores.engines import Manifest
from workers.cluster.errors import NotFound, Temporary, Unconfigured, from_answer
from workers.cluster.kinds import KINDS
from workers.cluster.library import ApiClient, Configuration, load_incluster_config, load_kube_config

CALL_SECONDS = 3.0
"""How long one may take, once it is its turn."""
CALLS = 32
"""At the same time; others wait for their turn, in order. Watches and logs aren't counted."""
LOG_SECONDS = 10.0
"""How long reading a log to its present end may take."""
LOG_SILENCE_SECONDS = 60.0
"""After which a log that is followed is asked for again: the connection may have died."""
LOGS = 200
"""Connections for them, and for watching their pods."""
PAGE = 500
FIELD_MANAGER = "storefleet"

Guard = Callable[[], None]
"""Called when it is a write's turn, just before it is sent; raises if it must not be sent any more."""

REQUESTS = Counter("storefleet_cluster_requests", "Calls to the Kubernetes API", ["verb", "kind", "code"])


class Cluster:
    """One Kubernetes API server. Every method raises ClusterError's subclasses and nothing else."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._turns = asyncio.Semaphore(CALLS)
        self.host = str(api.configuration.host)

    async def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """The object. Raises NotFound."""
        return await self._call("get", kind, f"{KINDS[kind].path(namespace)}/{_safe(name)}")

    async def list(
        self, kind: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> tuple[list[Manifest], str]:
        """All that match, page by page, and the resourceVersion to watch from."""
        items: list[Manifest] = []
        query = {"limit": str(PAGE)}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": fields} if fields else {}
        while True:
            page = await self._call("list", kind, KINDS[kind].path(namespace), query)
            for item in page.get("items") or ():
                item["kind"], item["apiVersion"] = kind, KINDS[kind].api_version  # lists leave them out
                items.append(item)
            onward = page["metadata"].get("continue")
            if not onward:
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = onward

    async def create(self, manifest: Manifest, guard: Guard | None = None, *, dry_run: bool = False) -> Manifest:
        """POST. `dry_run`: all is checked and nothing made. Raises AlreadyExists, and what the guard raises."""
        query = {"dryRun": "All"} if dry_run else {}
        return await self._call("create", manifest["kind"], _collection(manifest), query, manifest, guard)

    async def apply(self, manifest: Manifest, guard: Guard | None = None) -> Manifest:
        """Server-side apply as the field manager `storefleet`; what others changed of our fields is ours again."""
        path = f"{_collection(manifest)}/{_safe(manifest['metadata']['name'])}"
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self._call("apply", manifest["kind"], path, query, manifest, guard)

    async def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        guard: Guard | None = None,
        *,
        uid: str | None = None,
    ) -> None:
        """Begin to delete it and what it owns; of exactly that UID if given. That it is gone already is success."""
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        try:
            path = f"{KINDS[kind].path(namespace)}/{_safe(name)}"
            await self._call("delete", kind, path, body=body, guard=guard)
        except NotFound:
            return

    async def may(self, verb: str, resource: str, group: str = "", namespace: str | None = None) -> bool:
        """Whether our own account may do that (a SelfSubjectAccessReview)."""
        attributes = {"verb": verb, "resource": resource, "group": group} | (
            {"namespace": namespace} if namespace else {}
        )
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._call("create", "SelfSubjectAccessReview", path, body=review)
        return bool(answer["status"]["allowed"])

    async def version(self) -> str:
        """Such as `v1.36.3`."""
        answer = await self._call("get", "version", "/version")
        return str(answer["gitVersion"])

    @asynccontextmanager
    async def watch(
        self, kind: str, query: Mapping[str, str], silence: float, namespace: str | None = None
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        """The raw watch events of all namespaces, or one. Raises Temporary when it breaks: for instance when no answer
        begins within CALL_SECONDS, or no byte comes in `silence` seconds."""
        path, limits = KINDS[kind].path(namespace), aiohttp.ClientTimeout(total=None, sock_read=silence)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = await self._send("watch", kind, path, {"watch": "1", **query}, None, limits)
            async with response, _cutting(response):
                yield _lines(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Temporary(f"the watch of {kind} broke: {error!r}") from error

    async def logs(
        self, namespace: str, pod: str, query: Mapping[str, str], *, follow: bool
    ) -> AsyncGenerator[bytes, None]:
        """A container's log in pieces: to its present end, or until the container ends or is silent for long.

        A kubelet may begin its answer only with the first line. Raises NotFound, Refused, and Temporary when it breaks.
        """
        path, query = f"{KINDS['Pod'].path(namespace)}/{_safe(pod)}/log", {**query, "follow": str(follow).lower()}
        total, silence = (None, LOG_SILENCE_SECONDS) if follow else (LOG_SECONDS, None)
        limits = aiohttp.ClientTimeout(total=total, sock_connect=CALL_SECONDS, sock_read=silence)
        try:
            async with await self._send("logs", "Pod", path, query, None, limits) as response, _cutting(response):
                async for piece in response.content.iter_any():
                    yield piece
        except aiohttp.SocketTimeoutError:
            return  # it was silent
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Temporary(f"the log of {pod} can't be read: {error!r}") from error

    async def _call(
        self,
        verb: str,
        kind: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        guard: Guard | None = None,
    ) -> Manifest:
        limits = aiohttp.ClientTimeout(total=CALL_SECONDS)
        try:
            async with self._turns:
                if guard is not None:
                    guard()
                async with await self._send(verb, kind, path, query or {}, body, limits) as response:
                    answer: Manifest = json.loads(await response.read())
                    return answer
        except TimeoutError as error:
            REQUESTS.labels(verb, kind, "timeout").inc()
            raise Temporary(f"{verb} {kind}: no answer within {CALL_SECONDS:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            REQUESTS.labels(verb, kind, "unreachable").inc()
            raise Temporary(f"{verb} {kind}: the Kubernetes API can't be reached ({error})") from error

    async def _send(
        self, verb: str, kind: str, path: str, query: Mapping[str, str], body: Manifest | None,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:  # fmt: skip
        # without the charset the library would write the body itself, as JSON that is no YAML
        media = "application/apply-patch+yaml; charset=utf-8" if verb == "apply" else "application/json"
        response: aiohttp.ClientResponse = await self._api.call_api(
            path,
            {"create": "POST", "apply": "PATCH", "delete": "DELETE"}.get(verb, "GET"),
            query_params=list(query.items()),
            header_params={
                "Accept": "text/plain, */*" if verb == "logs" else "application/json",
                "Content-Type": media,
            },
            body=_yaml(body) if verb == "apply" else body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=limits,
        )
        REQUESTS.labels(verb, kind, str(response.status)).inc()
        if response.status >= 400:
            async with response:
                raise from_answer(response.status, await response.text(), response.headers.get("Retry-After"))
        return response


@asynccontextmanager
async def _cutting(response: aiohttp.ClientResponse) -> AsyncIterator[None]:
    """A stream left before its end is cut off: TLS' goodbye would outlive the client, which doesn't wait for it."""
    try:
        yield
    finally:
        if response.connection is not None and response.connection.transport is not None:
            response.connection.transport.abort()


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[Manifest]:
    async for line in response.content:
        try:
            event: Manifest = json.loads(line)
        except ValueError as error:
            raise Temporary(f"a watch sent what is no JSON: {line[:100]!r}") from error
        yield event


def _yaml(body: Any) -> bytes:
    """JSON that is YAML, too, in which half a character can't be escaped, and some may not stand as they are."""
    text = json.dumps(body, ensure_ascii=False)
    return re.sub("[\x7f-\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _collection(manifest: Manifest) -> str:
    return KINDS[manifest["kind"]].path(manifest["metadata"].get("namespace"))


def _safe(name: str) -> str:
    return quote(name, safe="")


@asynccontextmanager
async def connect(kubeconfig: Path | None, context: str | None = None) -> AsyncIterator[Cluster]:
    """A cluster by kubeconfig (its current context unless named), or, if None, by the pod's service account.

    Raises Unconfigured when there is no usable configuration. Nothing is sent yet.
    """
    settings = Configuration()
    try:
        await _configure(settings, kubeconfig, context)
        settings.connection_pool_maxsize = CALLS + len(KINDS) + LOGS
        api = ApiClient(settings)
    except Exception as error:
        # the library meets a malformed file with whatever that leads it to: TypeError, AssertionError, ssl.SSLError, …
        where = kubeconfig or "the pod's service account"
        raise Unconfigured(f"there is no usable Kubernetes configuration in {where}: {error!r}") from error
    api.user_agent = "storefleet"
    try:
        yield Cluster(api)
    finally:
        await api.close()


async def _configure(settings: Configuration, kubeconfig: Path | None, context: str | None) -> None:
    if kubeconfig is None:
        load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # the library's
    else:
        await load_kube_config(str(kubeconfig), context=context, client_configuration=settings)
