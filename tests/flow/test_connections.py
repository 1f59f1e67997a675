"""Each list that can grow is a connection with pages in both directions; objects are found by their global ids."""

import pytest

from schema.ids import decode_id
from tests.support.harness import JSON, Harness

LISTS = {
    "accountsConnection": "viewer",
    "sessionsConnection": "viewer",
    "tokensConnection": "account",
    "membersConnection": "account",
    "invitationsConnection": "account",
    "webhooks": "account",
    "auditLog": "account",
}
"""The connections that have rows below, and the query that has them."""
OWNER, NAMES = "owner@example.com", ["a", "b", "c"]
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def page(api: Harness, headers: JSON, name: str, arguments: str) -> JSON:
    parent = "viewer" if LISTS[name] == "viewer" else f'account(id: "{api.account}")'
    item = "userId" if name == "membersConnection" else "id"
    fields = f"nodes {{ {item} }} edges {{ cursor node {{ {item} }} }} pageInfo {{ hasNextPage endCursor "
    answer = await api.ask(
        headers, f"{{ {parent} {{ {name}({arguments}) {{ {fields} hasPreviousPage startCursor }} }} }} }}"
    )
    assert "errors" not in answer, answer
    found: JSON = answer["data"][LISTS[name]][name]
    assert found["nodes"] == [edge["node"] for edge in found["edges"]]
    ends = [found["edges"][0]["cursor"], found["edges"][-1]["cursor"]] if found["edges"] else [None, None]
    assert [found["pageInfo"]["startCursor"], found["pageInfo"]["endCursor"]] == ends
    return found


async def make_three_of_each(api: Harness) -> JSON:
    """The owner's headers, after three sign-ins; the account has three or more of everything."""
    headers = [await api.sign_in() for _ in NAMES][-1]
    for name in NAMES:
        email = f"{name}@example.net"
        await api.sign_up(email)
        await api.sql(
            "INSERT INTO memberships SELECT $1, id, 'viewer' FROM users WHERE email = $2",
            decode_id("Account", api.account),
            email,
        )
        await api.sql(
            "INSERT INTO memberships SELECT own.account_id, owner.id, 'admin' FROM users owner, users u "
            "JOIN memberships own ON own.user_id = u.id AND own.role = 'owner' WHERE owner.email = $1 AND u.email = $2",
            OWNER,
            email,
        )
        for mutation, values in (
            ("createApiToken", f'name: "{name}", scopes: [READ], accountId: "{api.account}"'),
            ("inviteMember", f'email: "guest-{name}@example.net", role: VIEWER, accountId: "{api.account}"'),
            ("createWebhook", f'url: "https://{name}.example.com/", accountId: "{api.account}"'),
        ):
            answer = await api.ask(
                headers, f"mutation {{ {mutation}(input: {{{values}}}) {{ userErrors {{ code }} }} }}"
            )
            assert answer["data"][mutation]["userErrors"] == [], answer
        headers = await api.sign_in() if name != "c" else headers
    return headers


async def test_each_list_is_paged_in_both_directions(api: Harness) -> None:
    headers = await make_three_of_each(api)
    for name in LISTS:
        everything = await page(api, headers, name, "first: 100")
        cursors = [edge["cursor"] for edge in everything["edges"]]
        assert len(cursors) == len(set(cursors)) >= 3, name
        middle = await page(api, headers, name, f'first: 1, after: "{cursors[0]}"')
        assert [edge["cursor"] for edge in middle["edges"]] == cursors[1:2], name
        assert (middle["pageInfo"]["hasNextPage"], middle["pageInfo"]["hasPreviousPage"]) == (True, True), name
        last = await page(api, headers, name, f'last: 2, before: "{cursors[-1]}"')
        assert [edge["cursor"] for edge in last["edges"]] == cursors[-3:-1], name
        assert last["pageInfo"]["hasNextPage"], name
        ends = await page(api, headers, name, "last: 100")
        assert (ends["nodes"], ends["pageInfo"]) == (everything["nodes"], everything["pageInfo"]), name
        empty = await page(api, headers, name, f'first: 1, after: "{cursors[-1]}"')
        assert (empty["nodes"], empty["pageInfo"]["hasNextPage"]) == ([], False), name
        other = next(each for each in LISTS if each != name)
        foreign = (await page(api, headers, other, "first: 1"))["pageInfo"]["endCursor"]
        for wrong in ("first: 101", "first: 1, last: 1", 'first: 1, after: "x"', f'last: 1, before: "{foreign}"'):
            with pytest.raises(AssertionError, match=r"`first` is|either first or last|not a cursor"):
                await page(api, headers, name, wrong)


async def test_the_old_lists_have_the_same(api: Harness) -> None:
    headers = await make_three_of_each(api)
    old = "tokens { id } members { userId } invitations { id }"
    new = "tokensConnection(first: 9) { nodes { id } } membersConnection(first: 9) { nodes { userId } } "
    new += "invitationsConnection(first: 9) { nodes { id } }"
    query = f"query ($id: ID!) {{ account(id: $id) {{ {old} {new} }} viewer {{ accounts {{ id }} sessions {{ id }}"
    query += " accountsConnection(first: 9) { nodes { id } } sessionsConnection(first: 9) { nodes { id } } } }"
    data = (await api.ask(headers, query, {"id": api.account}))["data"]
    found = data["account"] | data["viewer"]
    for name in ("tokens", "members", "invitations", "accounts", "sessions"):
        assert found[name] == found[f"{name}Connection"]["nodes"] != []
    viewer = await api.sign_in("a@example.net")
    answer = await api.ask(viewer, f"query ($id: ID!) {{ account(id: $id) {{ {old} {new} }} }}", {"id": api.account})
    assert answer["data"]["account"]["invitations"] == []
    assert answer["data"]["account"]["invitationsConnection"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_an_object_is_found_by_its_id_by_who_may_see_it(api: Harness) -> None:
    headers = await make_three_of_each(api)
    await api.sql("INSERT INTO webhook_deliveries (webhook_id, message_id, type, attempt, latency_ms) "
                  "SELECT id, 'message', 'webhook.test', 1, 1 FROM webhooks LIMIT 1")  # fmt: skip
    store = (await api.create_store())["id"]
    query = """query ($id: ID!) { account(id: $id) { id tokensConnection(first: 1) { nodes { id } }
      invitationsConnection(first: 1) { nodes { id } } auditLog(first: 1) { nodes { id } }
      webhooks { nodes { id deliveries(first: 1) { nodes { id } } } } }
      viewer { user { id } sessionsConnection(first: 1) { nodes { id } } } }"""
    data = (await api.ask(headers, query, {"id": api.account}))["data"]
    account, webhooks = data["account"], data["account"]["webhooks"]["nodes"]
    ids = {
        "Store": store,
        "Account": account["id"],
        "User": data["viewer"]["user"]["id"],
        "ApiToken": account["tokensConnection"]["nodes"][0]["id"],
        "Webhook": webhooks[0]["id"],
        "WebhookDelivery": next(
            each["deliveries"]["nodes"][0]["id"] for each in webhooks if each["deliveries"]["nodes"]
        ),
        "Session": data["viewer"]["sessionsConnection"]["nodes"][0]["id"],
        "Invitation": account["invitationsConnection"]["nodes"][0]["id"],
        "AuditEntry": account["auditLog"]["nodes"][0]["id"],
    }

    async def seen(caller: JSON) -> set[str]:
        wanted = [*ids.values(), store, "nonsense", store + "="]
        answer = await api.ask(caller, NODES, {"ids": wanted})
        nodes = answer["data"]["nodes"]
        assert [node and node["id"] for node in nodes[:9]] == [node and wanted[i] for i, node in enumerate(nodes[:9])]
        assert (nodes[9], nodes[10:]) == (nodes[0], [None, None])
        return {node["__typename"] for node in nodes if node}

    assert await seen(headers) == set(ids)
    assert await seen(await api.sign_in("a@example.net")) == set(ids) - {"Session", "Invitation", "AuditEntry"}
    await api.sign_up("stranger@example.net")
    assert await seen(await api.sign_in("stranger@example.net")) == set()
    one = await api.ask(headers, "query ($id: ID!) { node(id: $id) { ... on Store { slug } } }", {"id": store})
    assert one["data"]["node"]["slug"]
    for wrong in (ids["User"], ids["Session"], ids["Store"], "nonsense"):
        delete = f'mutation {{ deleteWebhook(input: {{id: "{wrong}"}}) {{ userErrors {{ code path }} }} }}'
        payload = (await api.ask(headers, delete))["data"]["deleteWebhook"]
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]
    answer = await api.ask(headers, NODES, {"ids": [store] * 101})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
