"""A thin client of the Kubernetes API: manifests are dicts, every call has a timeout, every failure has a type.

`ApiClient.call_api` without models is six times faster than the library's typed methods.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from prometheus_client import Counter

from stores.engines import Manifest
from workers.cluster.api_resources import API_RESOURCES
from workers.cluster.errors import MissingConfiguration, NotFound, TransientError, error_from_response
from workers.cluster.library import ApiClient, Configuration, load_incluster_config, load_kube_config

REQUEST_TIMEOUT = 3.0
"""Seconds for one request, not counting the time that it waits for a free slot."""
MAX_CONCURRENT_REQUESTS = 32
"""Further requests wait for a free slot, in order. Watches and logs aren't counted."""
LOG_TIMEOUT = 10.0
"""Seconds for reading a log to its current end."""
LOG_IDLE_TIMEOUT = 60.0
"""Seconds without data after which following a log ends: the connection may be dead."""
MAX_LOG_CONNECTIONS = 200
"""Connections for logs and for watching the pods whose logs are read."""
READ_BUFFER = 2**21
"""Bytes of a line of a watch: larger than the largest object."""
PAGE_SIZE = 500
FIELD_MANAGER = "storefleet"

Guard = Callable[[], None]
"""Called directly before a write is sent; raises if the write must not be sent any more."""

REQUESTS = Counter("storefleet_cluster_requests", "Calls to the Kubernetes API", ["verb", "kind", "code"])


class Cluster:
    """One Kubernetes API server. Every method raises ClusterError's subclasses and nothing else."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._semaphore = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)
        self.host = str(api.configuration.host)

    async def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """The object. Raises NotFound."""
        return await self._call("get", kind, f"{API_RESOURCES[kind].path(namespace)}/{_quote(name)}")

    async def list(
        self, kind: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> tuple[list[Manifest], str]:
        """All objects that match, read page by page, and the resourceVersion to watch from."""
        items: list[Manifest] = []
        query = {"limit": str(PAGE_SIZE)}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": fields} if fields else {}
        while True:
            page = await self._call("list", kind, API_RESOURCES[kind].path(namespace), query)
            for item in page.get("items") or ():
                item["kind"], item["apiVersion"] = kind, API_RESOURCES[kind].api_version  # lists leave them out
                items.append(item)
            token = page["metadata"].get("continue")
            if not token:
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = token

    async def create(self, manifest: Manifest, guard: Guard | None = None, *, dry_run: bool = False) -> Manifest:
        """POST. `dry_run`: the API server validates and admits it, but stores nothing. Raises AlreadyExists, and what
        the guard raises."""
        query = {"dryRun": "All"} if dry_run else {}
        return await self._call("create", manifest["kind"], _collection_path(manifest), query, manifest, guard)

    async def apply(self, manifest: Manifest, guard: Guard | None = None) -> Manifest:
        """Server-side apply with force as the field manager `storefleet`: it takes its fields back from others."""
        path = f"{_collection_path(manifest)}/{_quote(manifest['metadata']['name'])}"
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
        """Start deleting the object and its dependents (propagationPolicy Background). `uid` is a precondition.

        An object that doesn't exist is success.
        """
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        try:
            path = f"{API_RESOURCES[kind].path(namespace)}/{_quote(name)}"
            await self._call("delete", kind, path, body=body, guard=guard)
        except NotFound:
            return

    async def is_allowed(self, verb: str, resource: str, group: str = "", namespace: str | None = None) -> bool:
        """Whether RBAC allows this verb on the resource to the user of this process (SelfSubjectAccessReview)."""
        attributes = {"verb": verb, "resource": resource, "group": group} | (
            {"namespace": namespace} if namespace else {}
        )
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        response = await self._call("create", "SelfSubjectAccessReview", path, body=review)
        return bool(response["status"]["allowed"])

    async def version(self) -> str:
        """The API server's version, such as `v1.36.3`."""
        response = await self._call("get", "version", "/version")
        return str(response["gitVersion"])

    @asynccontextmanager
    async def watch(
        self, kind: str, query: Mapping[str, str], idle_seconds: float, namespace: str | None = None
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        """The raw watch events of one namespace, or of all.

        Raises TransientError when the watch breaks: also without a response within REQUEST_TIMEOUT, and without data
        for `idle_seconds`.
        """
        path = API_RESOURCES[kind].path(namespace)
        client_timeout = aiohttp.ClientTimeout(total=None, sock_read=idle_seconds)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                response = await self._send("watch", kind, path, {"watch": "1", **query}, None, client_timeout)
            async with response, _abort_on_exit(response):
                yield _events(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientError(f"the watch of {kind} broke: {error!r}") from error

    async def logs(
        self, namespace: str, pod: str, query: Mapping[str, str], *, follow: bool
    ) -> AsyncGenerator[bytes, None]:
        """A container's log in chunks: to its current end; with `follow` until the container ends, or no data came
        for LOG_IDLE_TIMEOUT.

        The response's headers have no timeout of their own: a kubelet may send them with the first line only.
        Raises NotFound, RequestRejected, and TransientError when the connection breaks.
        """
        path = f"{API_RESOURCES['Pod'].path(namespace)}/{_quote(pod)}/log"
        query = {**query, "follow": str(follow).lower()}
        total, idle_seconds = (None, LOG_IDLE_TIMEOUT) if follow else (LOG_TIMEOUT, None)
        client_timeout = aiohttp.ClientTimeout(total=total, sock_connect=REQUEST_TIMEOUT, sock_read=idle_seconds)
        try:
            response = await self._send("logs", "Pod", path, query, None, client_timeout)
            async with response, _abort_on_exit(response):
                async for chunk in response.content.iter_any():
                    yield chunk
        except aiohttp.SocketTimeoutError:
            return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientError(f"the log of {pod} can't be read: {error!r}") from error

    async def _call(
        self,
        verb: str,
        kind: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        guard: Guard | None = None,
    ) -> Manifest:
        client_timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)
        try:
            async with self._semaphore:
                if guard is not None:
                    guard()
                async with await self._send(verb, kind, path, query or {}, body, client_timeout) as response:
                    item: Manifest = json.loads(await response.read())
                    return item
        except TimeoutError as error:
            REQUESTS.labels(verb, kind, "timeout").inc()
            raise TransientError(f"{verb} {kind}: no answer within {REQUEST_TIMEOUT:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            REQUESTS.labels(verb, kind, "unreachable").inc()
            raise TransientError(f"{verb} {kind}: the Kubernetes API can't be reached ({error})") from error

    async def _send(
        self, verb: str, kind: str, path: str, query: Mapping[str, str], body: Manifest | None,
        client_timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:  # fmt: skip
        # without the charset the library would serialize the body itself, to JSON that isn't always valid YAML
        media_type = "application/apply-patch+yaml; charset=utf-8" if verb == "apply" else "application/json"
        response: aiohttp.ClientResponse = await self._api.call_api(
            path,
            {"create": "POST", "apply": "PATCH", "delete": "DELETE"}.get(verb, "GET"),
            query_params=list(query.items()),
            header_params={
                "Accept": "text/plain, */*" if verb == "logs" else "application/json",
                "Content-Type": media_type,
            },
            body=_encode_yaml(body) if verb == "apply" else body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=client_timeout,
        )
        REQUESTS.labels(verb, kind, str(response.status)).inc()
        if response.status >= 400:
            async with response:
                raise error_from_response(response.status, await response.text(), response.headers.get("Retry-After"))
        return response


@asynccontextmanager
async def _abort_on_exit(response: aiohttp.ClientResponse) -> AsyncIterator[None]:
    """Abort the connection of a stream that isn't read to its end: a TLS shutdown would outlast the client's close."""
    try:
        yield
    finally:
        if response.connection is not None and response.connection.transport is not None:
            response.connection.transport.abort()


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Manifest]:
    async for line in response.content:
        try:
            event: Manifest = json.loads(line)
        except ValueError as error:
            raise TransientError(f"a watch sent invalid JSON: {line[:100]!r}") from error
        yield event


def _encode_yaml(body: Any) -> bytes:
    """JSON that is also valid YAML: YAML has no escapes for surrogate pairs, and forbids some characters unescaped."""
    text = json.dumps(body, ensure_ascii=False)
    return re.sub("[\x7f-\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _collection_path(manifest: Manifest) -> str:
    return API_RESOURCES[manifest["kind"]].path(manifest["metadata"].get("namespace"))


def _quote(name: str) -> str:
    return quote(name, safe="")


@asynccontextmanager
async def connect(kubeconfig: Path | None, context: str | None = None) -> AsyncIterator[Cluster]:
    """A client for a kubeconfig (its current context unless one is named), or for the pod's service account if None.

    Sends no request. Raises MissingConfiguration when there is no usable configuration.
    """
    settings = Configuration()
    try:
        await _configure(settings, kubeconfig, context)
        settings.connection_pool_maxsize = MAX_CONCURRENT_REQUESTS + len(API_RESOURCES) + MAX_LOG_CONNECTIONS
        settings.proxy = settings.proxy or _proxy_of_environment(str(settings.host))
        api = ApiClient(settings)
    except Exception as error:
        # for a malformed file the library raises many types: TypeError, AssertionError, ssl.SSLError, …
        where = kubeconfig or "the pod's service account"
        raise MissingConfiguration(f"there is no usable Kubernetes configuration in {where}: {error!r}") from error
    api.user_agent = "storefleet"
    _read_environment_once(api)
    try:
        yield Cluster(api)
    finally:
        await api.close()


async def _configure(settings: Configuration, kubeconfig: Path | None, context: str | None) -> None:
    if kubeconfig is None:
        load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # the library's
    else:
        await load_kube_config(str(kubeconfig), context=context, client_configuration=settings)


def _proxy_of_environment(url: str) -> str | None:
    """The proxy that variables such as HTTPS_PROXY and NO_PROXY name for the URL."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _read_environment_once(api: ApiClient) -> None:
    """The library's session reads the environment's proxies and ~/.netrc in two threads before each request: half of
    a request's CPU. The proxy is known by now, and a password of ~/.netrc isn't for the Kubernetes API.
    """
    theirs = api.rest_client.pool_manager
    api.rest_client.pool_manager = aiohttp.ClientSession(connector=theirs.connector, read_bufsize=READ_BUFFER)
    theirs.detach()
