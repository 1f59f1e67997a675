"""A store's address in each way that the settings offer: by Ingress or HTTPRoute, by HTTP or HTTPS."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from sandbox.kubernetes.node.ingress import CERTIFICATE, NAMESPACE, SECURE_DOMAIN
from tests.flow.fleet import Fleet
from tests.node.real import RealNode
from tests.node.test_life import READY_SECONDS, made

JSON = dict[str, Any]
HTTPS = {"base_domain": SECURE_DOMAIN, "store_scheme": "https"}
BY_INGRESS = {**HTTPS, "wildcard_certificate": f"{NAMESPACE}/{CERTIFICATE}"}
BY_GATEWAY = {**HTTPS, "routing": "gateway", "gateway_listener": "https"}
SHOP = "A jar of olives"


async def get(fleet: Fleet, url: str, trust: ssl.SSLContext) -> tuple[int, str, str]:
    """As a browser that finds the host on this machine: status, where it is sent, and what it is shown."""
    address = urlsplit(url)
    here = f"{address.scheme}://127.0.0.1:{address.port}/"
    tls: JSON = {"ssl": trust, "server_hostname": address.hostname} if address.scheme == "https" else {}
    async with fleet.http.get(here, headers={"Host": address.netloc}, allow_redirects=False, **tls) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def routes(fleet: Fleet) -> set[str]:
    """The kinds that stores' addresses are made of here."""
    found = set()
    for kind, path in (
        ("Ingress", "networking.k8s.io/v1/ingresses"),
        ("HTTPRoute", "gateway.networking.k8s.io/v1/httproutes"),
    ):
        _, items = await fleet.kubernetes("GET", f"/apis/{path}?labelSelector=storefleet.dev/store")
        found |= {kind for _ in items["items"]}
    return found


@pytest.mark.parametrize("changes", [{"routing": "gateway"}], indirect=True)
async def test_by_http_through_the_gateway(fleet: Fleet, node: RealNode) -> None:
    store, _ = await made(fleet)  # and opened, by its address
    assert store["url"] == f"http://fig-olive.localhost:{node.ingress_port}"
    assert await routes(fleet) == {"HTTPRoute"}


@pytest.mark.parametrize("changes", [BY_INGRESS, BY_GATEWAY], ids=["ingress", "gateway"], indirect=True)
async def test_by_https_with_a_wildcard_certificate(fleet: Fleet, node: RealNode, changes: JSON) -> None:
    trust = ssl.create_default_context(cafile=str(node.authority))
    created = await fleet.create(engine="SAMPLE")
    await fleet.until(created["id"], "READY", READY_SECONDS)
    url = (await fleet.store(created["id"]))["url"]
    assert url == f"https://fig-olive.{SECURE_DOMAIN}:{node.https_port}"

    async def opens() -> bool:
        try:
            return SHOP in (await get(fleet, url, trust))[2]
        except aiohttp.ClientConnectionError:
            return False  # Envoy hears of the host in a moment

    await fleet.poll(opens, 30)
    assert await routes(fleet) == {"Ingress" if changes is BY_INGRESS else "HTTPRoute"}
    with pytest.raises(aiohttp.ClientConnectorCertificateError):  # signed by nobody whom the world knows
        await get(fleet, url, ssl.create_default_context())

    plain = f"http://fig-olive.{SECURE_DOMAIN}:{node.ingress_port}"
    status, location, page = await get(fleet, plain, trust)
    assert SHOP not in page
    if changes is BY_INGRESS:
        assert (status, urlsplit(location).scheme) == (301, "https")
