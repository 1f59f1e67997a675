"""The demo's walkthrough of the API: sign up, create a token, create a store, and follow it until READY."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from cli import output
from cli.client import ACCESS_FILE, Access, Client, ClientError, connected, open_session
from cli.demo_cluster import DemoCluster
from cli.users import set_limits
from cli.watch import STORE, follow, show_receipt
from runtime.database import session_factory
from sandbox.files import write_private

CREATE_API_ACCESS = """
mutation { createApiToken(input: {name: "demo", scopes: [READ, WRITE]}) { secret userErrors { message } } }
"""
CREATE = """
mutation ($engine: Engine!) { createStore(input: {name: "Demo Shop", engine: $engine}) {
  store { id slug name url steps { name } } userErrors { message }
} }
"""
REVEAL = """
mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) {
  credentials { url username password } userErrors { message }
} }
"""
DEFAULT_DATA = ".storefleet"
DEMO_QUOTA = 1000
"""The demo account's maximum number of stores, and of creations in an hour."""


async def run_walkthrough(
    url: str, email: str, password: str, data: Path, database_url: str | None, cluster: DemoCluster
) -> bool:
    """Create a store and follow it. Returns whether it became READY. Raises ClientError.

    `database_url`: of the platform's database, if it can be reached from here: then the demo's user gets larger limits.
    """
    access = await _access(url, email, password, data)
    if database_url is not None:
        async with session_factory(SecretStr(database_url), 2) as sessions, sessions.begin() as session:
            await set_limits(session, email, DEMO_QUOTA, DEMO_QUOTA)
    async with connected(access) as client:
        store = _payload(await client.execute(CREATE, {"engine": cluster.engine}), "createStore", "store")
        output.echo(f"createStore → {store['name']} ({store['slug']})", "bold")
        status = await follow(client, store)
        if status != "READY":
            return False
        now = (await client.execute(STORE, {"slug": store["slug"]}))["store"]
        credentials = _payload(
            await client.execute(REVEAL, {"id": store["id"]}), "revealAdminCredentials", "credentials"
        )
        _show_receipt(now)
        await _show_access(client, now, access, email, password, credentials)
        output.field("follow it", f"./storefleet watch {now['slug']}{_data_option(data)}")
        if cluster.simulated_pods:
            _explain_simulation()
    return True


async def _access(url: str, email: str, password: str, data: Path) -> Access:
    """A valid token: the one of the last run, or a new one, created with a browser's session. Raises ClientError."""
    try:
        known = Access(url, Access.load(data).token)
        async with connected(known) as client:
            if (await client.execute("{ viewer { user { email } } }"))["viewer"] is not None:
                _save(known, data)
                return known
    except ClientError:
        known = None  # the first run, or a new database
    jar = aiohttp.CookieJar(unsafe=True)  # the demo's host is an IP address
    async with open_session(cookie_jar=jar) as browser:
        client = Client(browser, Access(url, ""))
        user = {"email": email, "password": password}
        status, _ = await client.post("/auth/sign-up", user)
        if status != 201:
            status, answer = await client.post("/auth/sign-in", user)
            if status != 200:
                raise ClientError(f"the demo's user can't sign in: {answer['errors'][0]['message']}")
        payload = (await client.execute(CREATE_API_ACCESS))["createApiToken"]
    access = Access(url, payload["secret"])
    _save(access, data)
    return access


def _save(access: Access, data: Path) -> None:
    """For `storefleet watch` and `storefleet logs`."""
    write_private(data / ACCESS_FILE, json.dumps(asdict(access)))


def _payload(data: dict[str, Any], mutation: str, field: str) -> dict[str, Any]:
    """The field of a mutation's payload. Raises ClientError for userErrors."""
    payload = data[mutation]
    if payload["userErrors"]:
        raise ClientError(f"{mutation}: {payload['userErrors'][0]['message']}")
    value: dict[str, Any] = payload[field]
    return value


def _show_receipt(store: dict[str, Any]) -> None:
    receipt = store["receipt"]
    output.echo()
    if receipt["simulated"]:
        output.echo("  READY  SIMULATED", "bold yellow")
    else:
        output.echo("  READY", "bold green")
    show_receipt(receipt)
    output.field("store", store["url"])


async def _show_access(
    client: Client,
    store: dict[str, Any],
    access: Access,
    email: str,
    password: str,
    credentials: dict[str, Any],
) -> None:
    output.field("shop admin", f"{credentials['username']}  {credentials['password']}")
    output.echo()
    paths = [path for path in ("/", "/healthz", "/readyz", "/metrics") if await client.get(path) == 200]
    output.field("answering", "  ".join(access.url + path for path in paths))
    output.field("GraphQL", f"{access.url}/graphql")
    output.field("e-mail", email)
    output.field("password", password)
    output.field("API token", access.token)


def _data_option(data: Path) -> str:
    """The option that commands need for a data folder other than the default."""
    return "" if data.absolute() == Path(DEFAULT_DATA).absolute() else f" --data {data}"


def _explain_simulation() -> None:
    output.echo()
    output.echo("  The pods are simulated, so a page of the API answers at the store's address, and says so.")
    output.echo("  On a real cluster the shop itself answers:")
    output.echo("  make demo CLUSTER=kubeconfig   (uses the current context of your KUBECONFIG)", "bold")
    output.echo("  make demo CLUSTER=node         (real containers on this machine; needs root and Debian)", "bold")
