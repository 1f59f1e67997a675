"""A store's address in each way that the settings offer: by Ingress or HTTPRoute, by HTTP or HTTPS."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from sandbox.kubernetes.node.ingress import CERTIFICATE, NAMESPACE, SECURE_DOMAIN
from tests.flow.fleet import Fleet
from tests.node.conftest import PLUGIN
from tests.node.real import RealNode
from tests.node.test_life import READY_SECONDS, made

JSON = dict[str, Any]
HTTPS = {"base_domain": SECURE_DOMAIN, "store_scheme": "https"}
BY_INGRESS = {**HTTPS, "wildcard_certificate": f"{NAMESPACE}/{CERTIFICATE}"}
ENGINE, SHOP = ("WOOCOMMERCE", "Sample product") if PLUGIN else ("SAMPLE", "A jar of olives")
BY_GATEWAY = {**HTTPS, "routing": "gateway", "gateway_listener": "https"}


async def get(fleet: Fleet, url: str, trust: ssl.SSLContext | None, port: int | None = None) -> tuple[int, str, str]:
    """As a browser that finds the host on this machine: status, where it is sent, and what it is shown.

    `trust` None: by HTTP, whatever the address says, as somebody asks who ended TLS already.
    """
    address = urlsplit(url)
    here = f"{'https' if trust else 'http'}://127.0.0.1:{port or address.port}{address.path}"
    tls: JSON = {"ssl": trust, "server_hostname": address.hostname} if trust else {}
    async with fleet.http.get(here, headers={"Host": address.netloc}, allow_redirects=False, **tls) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def routes(fleet: Fleet) -> list[str]:
    """What the store's address is made of."""
    [row] = await fleet.sql("SELECT id FROM stores")
    found = []
    for group, name in (("networking.k8s.io", "ingresses"), ("gateway.networking.k8s.io", "httproutes")):
        _, there = await fleet.kubernetes("GET", f"/apis/{group}/v1/namespaces/store-{row['id']}/{name}")
        found += [name for _ in there["items"]]
    return found


@pytest.mark.parametrize("changes", [{"routing": "gateway"}], indirect=True)
async def test_by_http_through_the_gateway(fleet: Fleet, node: RealNode) -> None:
    store, _ = await made(fleet)  # and opened, by its address
    assert store["url"] == f"http://fig-olive.localhost:{node.ingress_port}"
    assert await routes(fleet) == ["httproutes"]


@pytest.mark.parametrize("changes", [BY_INGRESS, BY_GATEWAY], ids=["ingress", "gateway"], indirect=True)
async def test_by_https_with_a_wildcard_certificate(fleet: Fleet, node: RealNode, changes: JSON) -> None:
    trust = ssl.create_default_context(cafile=str(node.authority))
    created = await fleet.create(engine=ENGINE)
    await fleet.until(created["id"], "READY", READY_SECONDS)
    url = (await fleet.store(created["id"]))["url"]
    assert url == f"https://fig-olive.{SECURE_DOMAIN}:{node.https_port}"

    async def opens() -> bool:
        try:
            return SHOP in (await get(fleet, f"{url}/", trust))[2]
        except aiohttp.ClientConnectionError:
            return False  # Envoy hears of the host in a moment

    await fleet.poll(opens, 30)
    assert await routes(fleet) == ["ingresses" if changes is BY_INGRESS else "httproutes"]
    with pytest.raises(aiohttp.ClientConnectorCertificateError):  # signed by nobody whom the world knows
        await get(fleet, f"{url}/", ssl.create_default_context())

    plain = f"http://fig-olive.{SECURE_DOMAIN}:{node.ingress_port}"
    status, location, page = await get(fleet, plain, None)
    assert SHOP not in page
    if changes is BY_INGRESS:
        assert (status, urlsplit(location).scheme) == (301, "https")


@pytest.mark.skipif(PLUGIN is None, reason="needs WOOCOMMERCE_ZIP=/path/to/woocommerce.zip")
@pytest.mark.parametrize("changes", [HTTPS], indirect=True)
async def test_a_shop_whose_tls_ends_before_the_cluster_speaks_of_itself_by_https_alone(
    fleet: Fleet, node: RealNode
) -> None:
    """The ingress, asked by HTTP, says so to the shop. It neither believes it nor sends anybody round in a circle."""
    created = await fleet.create()
    await fleet.until(created["id"], "READY", 120)
    url = (await fleet.store(created["id"]))["url"]
    assert url.startswith(f"https://fig-olive.{SECURE_DOMAIN}:")

    async def opens() -> bool:
        return (await get(fleet, f"{url}/", None, node.ingress_port))[0] == 200

    await fleet.poll(opens, 30)
    for path in ("/", "/shop/", "/wp-login.php"):
        status, location, page = await get(fleet, url + path, None, node.ingress_port)
        assert (status, location) == (200, ""), path
        page = page.replace("\\/", "/")
        assert url in page
        assert f"http://fig-olive.{SECURE_DOMAIN}" not in page, path
    status, location, _ = await get(fleet, f"{url}/wp-admin/", None, node.ingress_port)
    assert (status, location.startswith(f"{url}/wp-login.php")) == (302, True)
