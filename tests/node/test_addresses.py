"""A store's URL with each setting: Ingress or HTTPRoute, HTTP or HTTPS."""

import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from sandbox.kubernetes.node.ingress import CERTIFICATE, NAMESPACE, SECURE_DOMAIN
from tests.node.plugin import PLUGIN
from tests.node.real_node import RealNode
from tests.node.shoppers import credentials
from tests.node.stores import create_ready_store
from tests.support.harness import Harness
from tests.support.waiting import wait_until

JSON = dict[str, Any]
HTTPS = {"base_domain": SECURE_DOMAIN, "store_scheme": "https"}
BY_INGRESS = {**HTTPS, "wildcard_certificate": f"{NAMESPACE}/{CERTIFICATE}"}
ENGINE, SHOP = ("WOOCOMMERCE", "Sample product") if PLUGIN else ("SAMPLE", "A jar of olives")
BY_GATEWAY = {**HTTPS, "routing": "gateway", "gateway_listener": "https"}


async def send(
    harness: Harness, method: str, url: str, trust: ssl.SSLContext | None, port: int | None = None, **more: Any
) -> tuple[int, Any, str]:
    """Status, headers and body of a request to this machine with the URL's host.

    `trust` None: over HTTP even if the URL has https, as behind a proxy that ends TLS.
    """
    address = urlsplit(url)
    here = f"{'https' if trust else 'http'}://127.0.0.1:{port or address.port}{address.path}"
    headers = {"Host": address.netloc, **more.pop("headers", {})}
    tls: JSON = {"ssl": trust, "server_hostname": address.hostname} if trust else {}
    async with harness.http.request(method, here, headers=headers, allow_redirects=False, **tls, **more) as answer:
        return answer.status, answer.headers, await answer.text()


async def get(
    harness: Harness, url: str, trust: ssl.SSLContext | None, port: int | None = None
) -> tuple[int, str, str]:
    """Status, Location and body."""
    status, headers, text = await send(harness, "GET", url, trust, port)
    return status, headers.get("Location", ""), text


async def routes(harness: Harness) -> list[str]:
    """Resource names of the store's routes."""
    [row] = await harness.sql("SELECT id FROM stores")
    found = []
    for group, name in (("networking.k8s.io", "ingresses"), ("gateway.networking.k8s.io", "httproutes")):
        _, there = await harness.kubernetes_request("GET", f"/apis/{group}/v1/namespaces/store-{row['id']}/{name}")
        found += [name for _ in there["items"]]
    return found


@pytest.mark.parametrize("changes", [{"routing": "gateway"}], indirect=True)
async def test_by_http_through_the_gateway(harness: Harness, node: RealNode) -> None:
    store, _ = await create_ready_store(harness)
    assert store["url"] == f"http://fig-olive.localhost:{node.ingress_port}"
    assert await routes(harness) == ["httproutes"]


@pytest.mark.parametrize("changes", [BY_INGRESS, BY_GATEWAY], ids=["ingress", "gateway"], indirect=True)
async def test_by_https_with_a_wildcard_certificate(harness: Harness, node: RealNode, changes: JSON) -> None:
    trust = ssl.create_default_context(cafile=str(node.authority))
    created = await harness.create_store(engine=ENGINE)
    await harness.wait_for_status(created["id"], "READY")
    url = (await harness.get_store(created["id"]))["url"]
    assert url == f"https://fig-olive.{SECURE_DOMAIN}:{node.https_port}"

    async def opens() -> bool:
        try:
            return SHOP in (await get(harness, f"{url}/", trust))[2]
        except aiohttp.ClientConnectionError:
            return False  # Envoy doesn't know the host yet

    await wait_until(opens)
    assert await routes(harness) == ["ingresses" if changes is BY_INGRESS else "httproutes"]
    with pytest.raises(aiohttp.ClientConnectorCertificateError):  # signed by an unknown CA
        await get(harness, f"{url}/", ssl.create_default_context())

    plain = f"http://fig-olive.{SECURE_DOMAIN}:{node.ingress_port}"
    status, location, page = await get(harness, plain, None)
    assert SHOP not in page
    if changes is BY_INGRESS:
        assert (status, urlsplit(location).scheme) == (301, "https")


@pytest.mark.skipif(PLUGIN is None, reason="needs WOOCOMMERCE_ZIP=/path/to/woocommerce.zip")
@pytest.mark.parametrize("changes", [HTTPS], indirect=True)
async def test_a_shop_whose_tls_ends_before_the_cluster_speaks_of_itself_by_https_alone(
    harness: Harness, node: RealNode
) -> None:
    """The ingress sends X-Forwarded-Proto: http. The shop ignores it: no redirects in a loop."""
    created = await harness.create_store()
    await harness.wait_for_status(created["id"], "READY")
    url = (await harness.get_store(created["id"]))["url"]
    assert url.startswith(f"https://fig-olive.{SECURE_DOMAIN}:")

    async def opens() -> bool:
        return (await get(harness, f"{url}/", None, node.ingress_port))[0] == 200

    await wait_until(opens)
    for path in ("/", "/shop/", "/wp-login.php"):
        status, location, page = await get(harness, url + path, None, node.ingress_port)
        assert (status, location) == (200, ""), path
        page = page.replace("\\/", "/")
        assert url in page
        assert f"http://fig-olive.{SECURE_DOMAIN}" not in page, path
    status, location, _ = await get(harness, f"{url}/wp-admin/", None, node.ingress_port)
    assert (status, location.startswith(f"{url}/wp-login.php")) == (302, True)


@pytest.mark.parametrize("changes", [BY_INGRESS, HTTPS], ids=["in the cluster", "before the cluster"], indirect=True)
async def test_the_owner_of_a_medusajs_store_signs_in_wherever_tls_ends(
    harness: Harness, node: RealNode, changes: JSON
) -> None:
    """The cookie of a session is only for HTTPS, and the ingress may send X-Forwarded-Proto: http."""
    inside = changes is BY_INGRESS
    trust = ssl.create_default_context(cafile=str(node.authority)) if inside else None
    port = node.https_port if inside else node.ingress_port
    created = await harness.create_store(engine="MEDUSA", country="DE", currency="EUR")
    await harness.wait_for_status(created["id"], "READY")
    store = await harness.get_store(created["id"])
    url = store["url"]
    assert url.startswith(f"https://fig-olive.{SECURE_DOMAIN}:")

    async def opens() -> bool:
        return "Sample product" in (await get(harness, f"{url}/", trust, port))[2]

    await wait_until(opens)
    email, password = await credentials(harness, store)
    owner = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    form = {"email": email, "password": password}
    status, _, text = await send(harness, "POST", f"{url}/auth/user/emailpass", trust, port, json=form, headers=owner)
    assert status == 200, text
    bearer = {**owner, "Authorization": f"Bearer {json.loads(text)['token']}"}
    status, headers, text = await send(harness, "POST", f"{url}/auth/session", trust, port, headers=bearer)
    assert status == 200, text
    cookie = headers["Set-Cookie"]
    assert "Secure" in cookie.split("; "), cookie
    session = {**owner, "Cookie": cookie.partition(";")[0]}
    assert (await send(harness, "GET", f"{url}/admin/orders", trust, port, headers=session))[0] == 200
