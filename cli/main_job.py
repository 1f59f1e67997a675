"""The main job, done as any client would: sign up, make a token, create a store, follow it until READY."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from cli import screen
from cli.client import Access, Client, ClientError, connected
from cli.place import Place
from cli.users import set_limits
from cli.watch import STORE, follow
from runtime.database import connect

MAKE_ACCESS = """
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
DEMO_STORES = 1000
"""What the demo's own account may have, and create in an hour."""


async def do_main_job(url: str, email: str, password: str, data: Path, database_url: str, place: Place) -> bool:
    """Whether the store became READY. Raises ClientError."""
    access = await _access(url, email, password, data)
    async with connect(SecretStr(database_url), 2) as sessions, sessions.begin() as session:
        await set_limits(session, email, DEMO_STORES, DEMO_STORES)
    async with connected(access) as client:
        store = _only(await client.execute(CREATE, {"engine": place.engine}), "createStore", "store")
        screen.say(f"createStore → {store['name']} ({store['slug']})", "bold")
        status = await follow(client, store)
        if status != "READY":
            return False
        now = (await client.execute(STORE, {"slug": store["slug"]}))["store"]
        credentials = _only(await client.execute(REVEAL, {"id": store["id"]}), "revealAdminCredentials", "credentials")
        _show_receipt(now)
        await _show_access(client, now, access, email, password, credentials, place.pretends)
    return True


async def _access(url: str, email: str, password: str, data: Path) -> Access:
    """A token that works: the last run's, or a new one made with a session as a browser has it."""
    try:
        known = Access(url, Access.load(data).token)
        async with connected(known) as client:
            if (await client.execute("{ viewer { user { email } } }"))["viewer"] is not None:
                known.save(data)
                return known
    except ClientError:
        known = None  # the first run, or the database was made anew
    jar = aiohttp.CookieJar(unsafe=True)  # the demo's host is an IP address
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=30)) as browser:
        client = Client(browser, Access(url, ""))
        user = {"email": email, "password": password}
        status, _ = await client.post("/auth/sign-up", user)
        if status != 201:
            status, answer = await client.post("/auth/sign-in", user)
            if status != 200:
                raise ClientError(f"the demo's user can't sign in: {answer['errors'][0]['message']}")
        payload = (await client.execute(MAKE_ACCESS))["createApiToken"]
    access = Access(url, payload["secret"])
    access.save(data)
    return access


def _only(data: dict[str, Any], mutation: str, field: str) -> dict[str, Any]:
    payload = data[mutation]
    if payload["userErrors"]:
        raise ClientError(f"{mutation}: {payload['userErrors'][0]['message']}")
    found: dict[str, Any] = payload[field]
    return found


def _show_receipt(store: dict[str, Any]) -> None:
    receipt = store["receipt"]
    screen.say()
    if receipt["simulated"]:
        screen.say("  READY  SIMULATED", "bold yellow")
    else:
        screen.say("  READY", "bold green")
    bought = ", ".join(f"{step['name']} {step['ms']} ms" for step in receipt["steps"])
    screen.line("receipt", f"{receipt['totalMs']} ms: {bought}")
    screen.line("store", store["url"])


async def _show_access(
    client: Client,
    store: dict[str, Any],
    access: Access,
    email: str,
    password: str,
    credentials: dict[str, Any],
    pretends: bool,
) -> None:
    screen.line("shop admin", f"{credentials['username']}  {credentials['password']}")
    screen.say()
    paths = [path for path in ("/", "/healthz", "/readyz", "/metrics") if await client.get(path) == 200]
    screen.line("answering", "  ".join(access.url + path for path in paths))
    screen.line("GraphQL", f"{access.url}/graphql")
    screen.line("e-mail", email)
    screen.line("password", password)
    screen.line("API token", access.token)
    screen.line("follow it", f"./storefleet watch {store['slug']}")
    if pretends:
        screen.say()
        screen.say(
            "  The pods are simulated, so the store's own address doesn't answer. On the API's port, a page says so:"
        )
        screen.say(f"  http://{urlsplit(store['url']).hostname}:{urlsplit(access.url).port}/", "bold")
        screen.say("  On a real cluster the shop itself answers:")
        screen.say("  make demo CLUSTER=kubeconfig   (uses the current context of your KUBECONFIG)", "bold")
        screen.say("  make demo CLUSTER=node         (real containers on this machine; needs root and Debian)", "bold")
