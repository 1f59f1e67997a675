"""Who may see and do what: each query, mutation and subscription of the schema, by everybody who isn't the owner.

The documents are made from the schema. A new root field needs a line in `cases`, and whatever is new below a root field
must be seen by the owner: otherwise a test fails.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts import impersonation
from runtime.database import Base
from tests.support import whole_schema
from tests.support.harness import JSON, Harness
from tests.support.operators import impersonating_headers, operator_headers
from tests.support.sockets import open_socket, run_operation

OWNER_BROWSER = "Marked browser"
VOLATILE_TABLES = {"sign_in_throttle", "observer_leases", "profile_revisions", "cluster_capacity", "audit"}
VOLATILE_COLUMNS = [
    "last_used_at", "due_at", "requeues", "observed_requeues", "wake", "seen_wake", "lease_holder", "lease_epoch",
    "lease_until", "profile_revision",
]  # fmt: skip
"""What the workers and the process write beside any request."""


@dataclass
class Owned:
    """What belongs to the owner. `ids`: global ids by type."""

    ids: dict[str, str]
    marks: set[str] = field(default_factory=set)
    """Texts that only the owner's account has: nobody of another account may see one of them."""
    secrets: set[str] = field(default_factory=set)
    """Texts that are shown only by the mutation that reveals them."""
    private: set[str] = field(default_factory=set)
    """Texts that a viewer may not see: also the owner's sessions."""


def cases(owned: Owned) -> Mapping[str, Mapping[str, list[JSON]]]:
    """The arguments of each root field, once or more, in the order in which the owner calls them.

    Without arguments: the field names no object, so everybody may ask for it.
    """
    ids = owned.ids
    store, webhook = {"id": ids["store"]}, {"id": ids["webhook"]}
    return {
        "query": {
            "viewer": [{}],
            "node": [{"id": ids[name]} for name in NODES],
            "nodes": [{"ids": [ids[name] for name in NODES]}],
            "account": [{"id": ids["account"]}],
            "store": [store, {"id": ids["deleted"]}, {"slug": "marked-olives"}],
            "stores": [{"first": 5, "accountId": ids["account"], "includeDeleted": True}],
            "slugSuggestion": [{"name": "Olives", "accountId": ids["account"]}],
            "plans": [{}],
            "engines": [{}],
            "languages": [{}],
            "signUpOpen": [{}],
            "identityProvider": [{}],
            "operator": [{}],
            "invitation": [{"token": ids["ended link"]}],
        },
        "subscription": {
            "storeEvents": [{"storeId": ids["store"]}],
            "accountEvents": [{"accountId": ids["account"], "after": ids["cursor"]}],
            "storeLogs": [{"storeId": ids["store"], "component": "web"}],
        },
        "mutation": {
            "createStore": [{"input": {"name": "Taken over", "engine": "WOOCOMMERCE", "accountId": ids["account"]}}],
            "revealAdminCredentials": [{"input": store}],
            "changePlan": [{"input": {**store, "plan": "MEDIUM"}}],
            "rotateAdminPassword": [{"input": store}],
            "suspendStore": [{"input": store}],
            "resumeStore": [{"input": store}],
            "retryStore": [{"input": store}],
            "deleteStore": [{"input": store}],
            "createWebhook": [{"input": {"url": "https://example.com/", "accountId": ids["account"]}}],
            "updateWebhook": [{"input": {**webhook, "eventTypes": ["STEP"]}}],
            "rotateWebhookSecret": [{"input": webhook}],
            "testWebhook": [{"input": webhook}],
            "replayWebhook": [{"input": {**webhook, "after": ids["cursor"]}}],
            "deleteWebhook": [{"input": webhook}],
            "createApiToken": [{"input": {"name": "mine", "scopes": ["READ"], "accountId": ids["account"]}}],
            "revokeApiToken": [{"input": {"id": ids["token"]}}],
            "changePassword": [{"input": {"currentPassword": "not this one", "newPassword": "another password"}}],
            "inviteMember": [{"input": {"email": "me@example.net", "role": "ADMIN", "accountId": ids["account"]}}],
            "revokeInvitation": [{"input": {"id": ids["invitation"]}}],
            "acceptInvitation": [{"input": {"token": ids["ended link"]}}],
            "changeRole": [{"input": {"userId": ids["user"], "role": "VIEWER", "accountId": ids["account"]}}],
            "removeMember": [{"input": {"userId": ids["user"], "accountId": ids["account"]}}],
            "endSession": [{"input": {"id": ids["session"]}}],
            "setAccountLimits": [{"input": {"accountId": ids["account"], "storeQuota": 1}}],
            "suspendAccount": [{"input": {"accountId": ids["account"], "reason": "No reason."}}],
            "resumeAccount": [{"input": {"accountId": ids["account"]}}],
        },
    }


class Caller:
    """Somebody who sends requests, with the headers of a credential; none: anonymous."""

    def __init__(self, harness: Harness, headers: Mapping[str, str]) -> None:
        self.harness, self.headers = harness, dict(headers)

    async def ask(self, operation: str, name: str, arguments: JSON) -> JSON:
        """The answer: `data`, `errors`, or both. Of a subscription it is the first message."""
        query = whole_schema.document(operation, name, arguments)
        if operation != "subscription":
            return await self.harness.ask(self.headers, query, arguments)
        socket = await open_socket(self.harness, headers=self.headers)
        message = await run_operation(socket, query, arguments)
        await socket.close()
        return message["payload"] if message["type"] == "next" else {"errors": message["payload"]}


async def token_headers(owner: Caller, *scopes: str) -> dict[str, str]:
    """The headers of a new token of the owner's account."""
    given = {"name": "Marked token", "scopes": scopes, "accountId": owner.harness.account}
    answer = await owner.ask("mutation", "createApiToken", {"input": given})
    return {"Authorization": f"Bearer {answer['data']['createApiToken']['secret']}"}


async def owned_by(owner: Caller) -> Owned:
    """Creates at least one of everything that an account has."""
    harness = owner.harness
    store = await harness.create_store(name="Marked olives", adminEmail="marked-admin@example.com")
    await harness.wait_for_status(store["id"], "READY")
    gone = await harness.create_store(name="Marked figs")
    await owner.ask("mutation", "deleteStore", {"input": {"id": gone["id"]}})
    await harness.wait_for_status(gone["id"], "DELETED")
    given = {"url": "https://marked.example.com/", "accountId": harness.account}
    created = (await owner.ask("mutation", "createWebhook", {"input": given}))["data"]["createWebhook"]
    webhook = created["webhook"]["id"]
    await owner.ask("mutation", "updateWebhook", {"input": {"id": webhook, "enabled": False}})
    await harness.sql(
        "INSERT INTO webhook_deliveries (webhook_id, message_id, type, attempt, latency_ms) "
        "SELECT id, 'marked message', 'webhook.test', 1, 1 FROM webhooks"
    )
    viewer = (await owner.ask("query", "viewer", {}))["data"]["viewer"]
    own = viewer["accountsConnection"]["nodes"][0]
    ids = {
        "account": harness.account, "store": store["id"], "deleted": gone["id"], "cursor": store["eventCursor"],
        "user": viewer["user"]["id"], "webhook": webhook, "token": own["tokensConnection"]["nodes"][0]["id"],
        "session": next(each["id"] for each in viewer["sessionsConnection"]["nodes"] if each["current"]),
        "delivery": own["webhooks"]["nodes"][0]["deliveries"]["nodes"][0]["id"],
        "entry": own["auditLog"]["nodes"][0]["id"],
    }  # fmt: skip
    guest = {"input": {"email": "marked-guest@example.com", "role": "VIEWER"}}
    invitations = [(await owner.ask("mutation", "inviteMember", guest))["data"]["inviteMember"] for _ in range(2)]
    ids["ended link"], ids["link"] = (each["link"].partition("#token=")[2] for each in invitations)
    ids["invitation"] = invitations[1]["invitation"]["id"]
    revealed = await owner.ask("mutation", "revealAdminCredentials", {"input": {"id": store["id"]}})
    owned = Owned(ids)
    owned.secrets = {revealed["data"]["revealAdminCredentials"]["credentials"]["password"]}
    owned.private = owned.secrets | {OWNER_BROWSER, ids["session"]}
    texts = {"Marked olives", "marked-olives", "marked-admin@example.com", "owner@example.com", "Marked token"}
    texts |= {"https://marked.example.com/", "marked message"}
    texts |= {"marked-guest@example.com"} | {ids[name] for name in ids if name not in ("cursor", "link", "ended link")}
    owned.marks = owned.private | texts
    owned.marks |= {decoded(ids[name]).partition(":")[2] for name in ("account", "store")}
    return owned


def decoded(text: str) -> str:
    """What an opaque id or cursor consists of; empty for other texts."""
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


OPERATORS = ("operator", "setAccountLimits", "suspendAccount", "resumeAccount")
"""For operators only: refused to everybody else, also to owners, in the same words."""
OWN = ("changePassword", "endSession", "acceptInvitation", *OPERATORS)
"""Mutations of the signed-in user and of operators: what they refuse isn't written to the account's audit log."""


def found(marks: set[str], answer: JSON, arguments: JSON) -> set[str]:
    """The marks in an answer, also within opaque ids and cursors; what the caller sent is left out."""
    text = "\n".join(f"{each}\n{decoded(each)}" for each in whole_schema.strings_in(answer))
    for sent in whole_schema.strings_in(arguments):
        text = text.replace(sent, "")
    return {mark for mark in marks if mark in text}


def refused(answer: JSON) -> bool:
    """Whether nothing was read or done: only errors, a null, or a payload that has nothing but userErrors."""

    def is_empty(value: Any) -> bool:
        if isinstance(value, list):
            return all(map(is_empty, value))
        if not isinstance(value, dict):
            return value is None
        filled = {name for name, inner in value.items() if inner not in (None, False)}
        return bool(value.get("userErrors")) and filled == {"userErrors", "__typename"}

    return all(is_empty(value) for value in (answer.get("data") or {}).values())


async def rows(harness: Harness) -> dict[str, list[str]]:
    """All rows of the database, without what changes by itself."""
    found_rows = {}
    for table in sorted(Base.metadata.tables):
        if table not in VOLATILE_TABLES:
            query = f"SELECT (to_jsonb(t) - $1::text[])::text AS row FROM {table} t ORDER BY 1"  # noqa: S608  # names of our own tables
            found_rows[table] = [row["row"] for row in await harness.sql(query, VOLATILE_COLUMNS)]
    return found_rows


NODES = ("account", "store", "deleted", "user", "token", "session", "webhook", "invitation", "delivery", "entry")
NAMES = (*NODES, "cursor", "ended link")


def test_each_root_field_has_a_case() -> None:
    """A new one must say with which arguments others may try it."""
    listed = cases(Owned(ids=dict.fromkeys(NAMES, "")))
    for operation, fields in listed.items():
        assert set(fields) == set(whole_schema.root_fields(operation)), operation


async def test_nobody_sees_or_changes_what_is_not_theirs(harness: Harness) -> None:
    owner = Caller(harness, await harness.sign_in(browser=OWNER_BROWSER))
    await harness.sign_up("stranger@example.net")
    await harness.sign_up("viewer@example.net")
    read_only, write_only = await token_headers(owner, "READ"), await token_headers(owner, "WRITE")
    owned = await owned_by(owner)
    await harness.sql(
        "WITH viewer AS (SELECT id FROM users WHERE email = 'viewer@example.net'), "
        "left_account AS (DELETE FROM memberships WHERE user_id = (SELECT id FROM viewer)) "
        "INSERT INTO memberships SELECT stores.account_id, viewer.id, 'viewer' FROM stores, viewer LIMIT 1"
    )
    operator = await operator_headers(harness)
    impersonating = Caller(harness, await impersonating_headers(harness, operator, owned.ids["user"]))
    strangers = {
        "anonymous": Caller(harness, {}),
        "second account": Caller(harness, await harness.sign_in("stranger@example.net")),
        "operator": Caller(harness, operator),
        "token of a second account": Caller(
            harness, {"Authorization": f"Bearer {(await harness.sign_up('other@example.net'))[0]}"}
        ),
    }
    members = {
        "viewer": Caller(harness, await harness.sign_in("viewer@example.net")),
        "read-only token": Caller(harness, read_only),
    }
    before = await rows(harness)
    [(last,)] = await harness.sql("SELECT max(id) FROM audit")
    problems: list[str] = []
    refusals: list[JSON] = []
    for operation, fields in cases(owned).items():
        for name, calls in fields.items():
            for arguments in calls:
                for who, caller in strangers.items():
                    if who == "operator" and name in OPERATORS:
                        continue
                    answer = await caller.ask(operation, name, arguments)
                    if found(owned.marks, answer, arguments) or (
                        (arguments or name in OPERATORS) and not refused(answer)
                    ):
                        problems.append(f"{who}: {operation} {name} {answer}")
                for who, caller in members.items():
                    answer = await caller.ask(operation, name, arguments)
                    refusals.append(answer)
                    hidden = owned.private if who == "viewer" else owned.secrets
                    if found(hidden, answer, arguments) or (
                        (operation == "mutation" or name in OPERATORS) and not refused(answer)
                    ):
                        problems.append(f"{who}: {operation} {name} {answer}")
                if operation == "mutation" and name not in impersonation.MUTATIONS:
                    answer = await impersonating.ask(operation, name, arguments)
                    if found(owned.secrets, answer, arguments) or not refused(answer):
                        problems.append(f"operator as the owner: {operation} {name} {answer}")
                if operation != "mutation":
                    answer = await Caller(harness, write_only).ask(operation, name, arguments)
                    if "errors" not in answer or not refused(answer):
                        problems.append(f"write-only token: {operation} {name} {answer}")
    assert problems == []
    after = await rows(harness)
    assert {table: after[table] for table in after if after[table] != before[table]} == {}
    audited = await harness.sql("SELECT action, actor, result, user_agent FROM audit WHERE id > $1 ORDER BY id", last)
    mutations = {name for name in cases(owned)["mutation"] if name not in OWN}
    assert {row["action"] for row in audited if row["result"] == "refused"} >= mutations - {"revealAdminCredentials"}
    assert [row["action"] for row in audited if row["result"] != "refused"] == []

    # the same documents show everything to the owner: a check that can't find its marks would prove nothing
    link = {"token": owned.ids["link"]}
    answers = [(await owner.ask("query", "invitation", link), link)]
    answers += [
        (await owner.ask(operation, name, arguments), arguments)
        for operation, fields in cases(owned).items()
        for name, calls in fields.items()
        for arguments in calls
    ]
    answers += [(await impersonating.ask("query", "viewer", {}), {})]
    answers += [
        (await strangers["operator"].ask(operation, name, arguments), arguments)
        for operation, fields in cases(owned).items()
        for name, calls in fields.items()
        for arguments in calls
        if name in OPERATORS
    ]
    seen = {name for answer, _ in answers for name in whole_schema.fields_in(answer)}
    seen |= {name for answer in refusals for name in whole_schema.fields_in(answer) if "UserError." in name}
    assert whole_schema.all_fields() - seen == set()
    marks = set().union(*(found(owned.marks, answer, {}) for answer, _ in answers))
    assert owned.marks - marks == set()
