"""No secret is found where it doesn't belong, after everything that handles secrets was done by real processes.

A new kind of secret is one line: a setting in SETTINGS (tests/support/canary_processes.py), or a step in STEPS that
adds to `canary.secrets`.
"""

import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientConnectionError

from accounts.actors import hash_credential
from schema.ids import decode_id
from tests.support.canary_processes import marker, processes
from tests.support.harness import CREATE, JSON, Harness, process_environment
from tests.support.oidc_browser import open_browser
from tests.support.oidc_provider import FakeProvider, Key, run_provider
from tests.support.processes import start_storefleet
from tests.support.secret_places import dump, everything_sent_to_redis, leaks, refusing_mail_server, values_in_redis
from tests.support.waiting import hang_limit, wait_until
from tests.support.webhook_receiver import run_receiver
from tests.support.webhooks import pass_time

USER = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }"
TOKEN = 'mutation { createApiToken(input: {name: "canary", scopes: [READ, WRITE]}) { secret userErrors { code } } }'
INVITE = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { link mailed userErrors { code } } }"
ACCEPT = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { userErrors { code } } }"
HOOK = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } secret } }"
ROTATE_HOOK = "mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret } }"
TEST_HOOK = "mutation ($input: TestWebhookInput!) { testWebhook(input: $input) { userErrors { code } } }"
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password } } }"
ROTATE = "mutation ($id: ID!) { rotateAdminPassword(input: {id: $id}) { userErrors { code } } }"
READY = "SELECT FROM stores WHERE status = 'READY' AND rotating IS NULL"


@dataclass
class Canary:
    """What was sent where, and what came back."""

    harness: Harness
    url: str
    logs: dict[str, Path]
    receiver: str
    provider: FakeProvider
    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    """Bodies and headers of answers that hand out no secret."""
    cookie: JSON = field(default_factory=dict)

    async def post(self, path: str, body: Any, headers: JSON | None = None, *, hands_out: bool = False) -> JSON:
        data = body if isinstance(body, str) else json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        async with self.harness.http.post(f"{self.url}{path}", data=data, headers=headers) as response:
            text = await response.text()
            if not hands_out:
                self.answers.append(f"{response.status} {text}")
            content: JSON = json.loads(text) if "json" in response.content_type else {}
            content["cookies"] = {name: cookie.value for name, cookie in response.cookies.items()}
            return content

    async def ask(
        self, query: str, variables: Any = None, headers: JSON | None = None, *, hands_out: bool = False
    ) -> Any:
        body = {"query": query, "variables": variables}
        answer = await self.post("/graphql", body, headers or self.cookie, hands_out=hands_out)
        [value] = (answer.get("data") or {"": None}).values()
        return value

    async def logged(self, component: str, words: str) -> bool:
        return words in self.logs[component].read_text()

    async def is_ready(self) -> bool:
        try:
            async with self.harness.http.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except ClientConnectionError:
            return False

    async def sign_in(self, password: str) -> JSON:
        user = {"email": "canary@example.com", "password": password}
        cookies: JSON = (await self.post("/auth/sign-in", user))["cookies"]
        return cookies


async def passwords(canary: Canary) -> None:
    first, second, wrong = (canary.secrets.setdefault(name, marker(name)) for name in ("first", "second", "wrong"))
    user = {"email": "canary@example.com", "password": first}
    await canary.post("/auth/sign-up", user)
    assert await canary.sign_in(wrong) == {}
    [(name, value)] = (await canary.sign_in(first)).items()
    canary.cookie = {"Cookie": f"{name}={value}"}
    canary.secrets["session"] = value
    changed = await canary.ask(USER, {"input": {"currentPassword": first, "newPassword": second}})
    assert changed["userErrors"] == []


async def tokens(canary: Canary) -> None:
    canary.secrets["token"] = (await canary.ask(TOKEN, hands_out=True))["secret"]
    authorization = {"Authorization": f"Bearer {canary.secrets['token']}"}
    await canary.ask("{ viewer { user { email } } }", None, authorization)
    for headers in (authorization, {}):
        async with canary.harness.http.ws_connect(
            f"{canary.url}/graphql", protocols=("graphql-transport-ws",), headers=headers
        ) as socket:
            await socket.send_json({"type": "connection_init", "payload": authorization})
            assert (await socket.receive_json())["type"] == "connection_ack"
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { user { id } } }"}})
            canary.answers.append(await socket.receive_str())


async def webhooks(canary: Canary) -> None:
    values = {"input": {"url": canary.receiver, "idempotencyKey": "canary"}}
    created = await canary.ask(HOOK, values, hands_out=True)
    canary.secrets["webhook"] = created["secret"]
    await canary.ask(HOOK, values)
    identity = {"input": {"id": created["webhook"]["id"]}}
    canary.secrets["webhook, rotated"] = (await canary.ask(ROTATE_HOOK, identity, hands_out=True))["secret"]
    for name in ("webhook", "webhook, rotated"):  # what signs is the part after whsec_
        canary.secrets[name] = canary.secrets[name].removeprefix("whsec_")
    await canary.harness.sql("REVOKE INSERT ON webhook_deliveries FROM storefleet_worker")
    await canary.ask(TEST_HOOK, identity)
    await wait_until(lambda: canary.logged("worker", "permission denied for table webhook_deliveries"))
    await canary.harness.sql("GRANT INSERT ON webhook_deliveries TO storefleet_worker")
    await pass_time(canary.harness, 1)  # the lease of the failed attempt lasts 30 s
    await wait_until(lambda: canary.harness.sql("SELECT FROM webhook_deliveries WHERE error IS NULL"))


async def invitations(canary: Canary) -> None:
    for email in ("ada@example.com", "eve@example.com"):
        invited = await canary.ask(INVITE, {"input": {"email": email, "role": "ADMIN"}}, hands_out=True)
        assert invited["mailed"] is False, "the mail server has refused the password"
        canary.secrets[f"invitation of {email}"] = invited["link"].partition("#token=")[2]
    password = canary.secrets.setdefault("invited", marker("invited"))
    await canary.post(
        "/auth/invitation", {"token": canary.secrets["invitation of ada@example.com"], "password": password}
    )
    await canary.ask(ACCEPT, {"input": {"token": canary.secrets["invitation of eve@example.com"]}})


async def openid(canary: Canary) -> None:
    async with open_browser(canary.url, canary.provider) as browser:
        assert await browser.sign_in() == "/"
        [canary.secrets["session with OpenID"]] = [
            value for name, value in browser.cookies().items() if name.endswith("session")
        ]
        canary.secrets["code"] = marker("code")
        await browser.begin()
        status, location = await browser.get(f"/auth/oidc/callback?code={canary.secrets['code']}&state=another")
        canary.answers.append(f"{status} {location}")


async def sign_in_links(canary: Canary) -> None:
    for name in ("used link", "unused link"):
        environment = process_environment(canary.harness.api_settings)
        process = await start_storefleet("users", "link", "canary@example.com", environment=environment)
        output, _ = await process.communicate()
        canary.secrets[name] = output.decode().partition("#token=")[2].split()[0]
    for _ in range(2):
        await canary.post("/auth/link", {"token": canary.secrets["used link"]})


async def stores(canary: Canary) -> None:
    created = await canary.ask(CREATE, {"input": {"name": "Canary", "engine": "WOOCOMMERCE", "idempotencyKey": "a"}})
    identity = created["store"]["id"]
    store_id = decode_id("Store", identity)
    for name, change in (("admin", None), ("admin, rotated", ROTATE)):
        if change is not None:
            assert (await canary.ask(change, {"id": identity}))["userErrors"] == []
        await wait_until(lambda: canary.harness.sql(READY))
        revealed = await canary.ask(REVEAL, {"id": identity}, hands_out=True)
        canary.secrets[name] = revealed["credentials"]["password"]
    _, found = await canary.harness.kubernetes_request("GET", f"/api/v1/namespaces/store-{store_id}/secrets")
    for item in found["items"]:
        for key, value in item["data"].items():
            secret = base64.b64decode(value).decode()
            if len(secret) > 15 and not secret.startswith("{"):
                canary.secrets.setdefault(f"{item['metadata']['name']}/{key}", secret)


async def broken_requests(canary: Canary) -> None:
    """Secrets at their place, in requests that are refused."""
    first, token, link = canary.secrets["first"], canary.secrets["token"], canary.secrets["unused link"]
    for body in (f"password={first}", [first], {"email": 1, "password": first}, {"password": [first], "email": ""}):
        await canary.post("/auth/sign-in", body)
    for values in (
        {"currentPassword": first},
        {"currentPassword": [first], "newPassword": {"is": first}},
        {"currentPassword": first, "newPassword": first[:5], "more": 1},
    ):
        await canary.ask(USER, {"input": values})
    for document in (
        f'mutation {{ changePassword(input: {{currentPassword: "{first}" newPassword }}) {{ user {{ id }} }} }}',
        f'mutation {{ changePassword(input: {{currentPassword: ["{first}"]}}) {{ user {{ id }} }} }}',
        f'mutation {{ changePassword(input: {{currentPassword: "{first}", newPassword: 1}}) {{ user {{ id }} }} }}',
    ):
        await canary.ask(document)
    await canary.ask(ACCEPT, {"input": {"token": [token]}})
    for headers in ({"Authorization": f"Bearer {token}, x"}, {"Authorization": token}, {"Cookie": f"session={token}"}):
        await canary.ask("{ viewer { user { id } } }", None, headers)
    await canary.post(f"/auth/link?token={link}", {})
    await canary.post(f"/graphql/stream?token={token}", {"query": "{"})
    async with canary.harness.http.get(f"{canary.url}/export/audit?token={token}") as response:
        canary.answers.append(await response.text())


async def failing_database(canary: Canary) -> None:
    """Statements with secrets fail, and are logged with a traceback."""
    await canary.harness.sql("REVOKE INSERT ON api_tokens, sessions, audit FROM storefleet_api")
    assert await canary.sign_in(canary.secrets["second"]) == {}
    assert await canary.ask(TOKEN) is None
    assert await canary.ask(HOOK, {"input": {"url": canary.receiver}}) is None
    await canary.ask(USER, {"input": {"currentPassword": canary.secrets["second"], "newPassword": marker("third")}})
    await canary.harness.sql("GRANT INSERT ON api_tokens, sessions, audit TO storefleet_api")
    assert await canary.logged("api", "permission denied for table")


STEPS: tuple[Callable[[Canary], Awaitable[None]], ...] = (
    passwords,
    tokens,
    webhooks,
    invitations,
    sign_in_links,
    openid,
    stores,
    broken_requests,
    failing_database,
)


async def test_secrets_are_found_nowhere(api: Harness, tmp_path: Path) -> None:
    redis_url = api.settings.redis_url.get_secret_value()
    async with (
        everything_sent_to_redis(redis_url) as commands,
        refusing_mail_server() as smtp,
        run_receiver() as receiver,
        run_provider(Key("first"), lambda: int(time.time())) as provider,
        processes(api, tmp_path, smtp, provider) as (url, logs, secrets),
    ):
        canary = Canary(api, url, logs, receiver.url, provider, secrets)
        await wait_until(lambda: canary.logged("worker", "worker.started"))
        await wait_until(canary.is_ready)
        for step in STEPS:
            await step(canary)
        async with api.http.get(f"{url}/metrics") as response:
            metrics = await response.read()
        kept = await values_in_redis(redis_url)
        dumped = await dump(api.settings.database_url.get_secret_value())
        for process in api.processes:
            process.terminate()
            async with hang_limit():
                await process.wait()
    places = {
        "the log of the API": logs["api"].read_bytes(),
        "the log of the worker": logs["worker"].read_bytes(),
        "the dump of the database": dumped,
        "the keys of Redis": kept,
        "a command to Redis": "\n".join(commands).encode(),
        "an answer": "\n".join(canary.answers).encode(),
        "the metrics": metrics,
    }
    assert all(places.values())
    assert all(len(secret) > 15 for secret in canary.secrets.values()), canary.secrets
    assert hash_credential(canary.secrets["token"]).hex().encode() in dumped
    assert leaks(canary.secrets, places) == []


@pytest.mark.parametrize("offset", range(3))
def test_a_leak_is_found_in_each_form(offset: int) -> None:
    secret = marker("leak")
    inside = "x" * offset + f"password={secret}&"
    for content in (inside, inside.encode().hex(), base64.b64encode(inside.encode()).decode(), quote(inside)):
        assert leaks({"a": secret}, {"b": content.encode(), "c": b""}) == ["a in b"]
