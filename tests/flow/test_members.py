"""Members of an account: invitations, roles, removal. An account always keeps an owner."""

import asyncio
import quopri
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from accounts import invitations
from accounts.actors import Actor
from accounts.users import add_account, add_user
from runtime import changefeed
from runtime.database import session_factory
from runtime.settings import ClusterProfile
from tests.support.harness import JSON, PASSWORD, Harness, run_harness
from tests.support.sockets import closed, open_socket
from tests.support.waiting import wait_until
from workers.maintenance import delete_expired

INVITE = """
mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
  invitation { id email role } link mailed userErrors { code field message } } }
"""
REVOKE = "mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { userErrors { code } } }"
ACCEPT = """
mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accountId userErrors { code field } } }
"""
CHANGE = "mutation ($input: ChangeRoleInput!) { changeRole(input: $input) { member { role } userErrors { code } } }"
REMOVE = (
    "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { member { email } userErrors { code } } }"
)
ACCOUNTS = "{ viewer { user { id } accounts { id role members { userId email role } invitations { id email } } } }"
PREVIEW = "query ($token: String!) { invitation(token: $token) { accountName email role invitedBy } }"


async def run(api: Harness, headers: JSON, mutation: str, **values: Any) -> JSON:
    """The payload of a mutation."""
    answer = await api.ask(headers, mutation, {"input": values})
    assert "errors" not in answer, answer
    [payload] = answer["data"].values()
    result: JSON = payload
    return result


def codes(payload: JSON) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def invite(api: Harness, headers: JSON, email: str, role: str, **values: Any) -> str:
    """The token of the link of a new invitation into the first user's account."""
    payload = await run(api, headers, INVITE, email=email, role=role, accountId=api.account, **values)
    assert payload["userErrors"] == []
    return token_of(payload["link"])


def token_of(link: str) -> str:
    return link.partition("/invitation#token=")[2]


async def add_member(api: Harness, owner: JSON, email: str, role: str) -> JSON:
    """The headers of a new user who has joined the first user's account."""
    await api.sign_up(email)
    headers = await api.sign_in(email)
    token = await invite(api, owner, email, role)
    assert (await run(api, headers, ACCEPT, token=token))["accountId"] == api.account
    return headers


async def user_id(api: Harness, headers: JSON) -> str:
    found: str = (await api.ask(headers, ACCOUNTS))["data"]["viewer"]["user"]["id"]
    return found


async def roles(api: Harness, owner: JSON) -> dict[str, str]:
    """The members of the first user's account with their roles."""
    accounts = (await api.ask(owner, ACCOUNTS))["data"]["viewer"]["accounts"]
    [account] = [each for each in accounts if each["id"] == api.account]
    return {member["email"]: member["role"] for member in account["members"]}


async def sign_up_with(api: Harness, token: str, password: str = PASSWORD) -> tuple[int, JSON]:
    body = {"token": token, "password": password}
    async with api.http.post(f"{api.url}/auth/invitation", json=body) as response:
        cookies = [f"{name}={cookie.value}" for name, cookie in response.cookies.items()]
        return response.status, {**await response.json(), "headers": {"Cookie": "; ".join(cookies)}}


async def test_an_invited_user_joins_once_with_the_role(api: Harness) -> None:
    owner = await api.sign_in()
    await api.sign_up("ada@example.com")
    ada = await api.sign_in("ada@example.com")
    token = await invite(api, owner, "Ada@Example.com", "VIEWER")
    preview = (await api.ask({}, PREVIEW, {"token": token}))["data"]["invitation"]
    assert preview == {
        "accountName": "owner's stores", "email": "ada@example.com", "role": "VIEWER", "invitedBy": "owner@example.com",
    }  # fmt: skip
    await api.sign_up("eve@example.com")
    eve = await api.sign_in("eve@example.com")
    assert codes(await run(api, eve, ACCEPT, token=token)) == ["FORBIDDEN"]
    together = await asyncio.gather(*(run(api, ada, ACCEPT, token=token) for _ in range(3)))
    assert [each["accountId"] for each in together] == [api.account] * 3
    assert codes(await run(api, eve, ACCEPT, token=token)) == ["NOT_FOUND"]
    assert (await api.ask({}, PREVIEW, {"token": token}))["data"]["invitation"] is None
    assert await roles(api, owner) == {"ada@example.com": "VIEWER", "owner@example.com": "OWNER"}
    assert len((await api.ask(ada, ACCOUNTS))["data"]["viewer"]["accounts"]) == 2
    stores = {"query": "query ($id: ID) { stores(first: 1, accountId: $id) { nodes { id } } }"}
    assert "errors" not in await api.ask(ada, stores["query"], {"id": api.account})
    assert codes(await run(api, owner, INVITE, email="ada@example.com", role="ADMIN")) == ["EMAIL_TAKEN"]
    actions = [row["action"] for row in await api.sql("SELECT action FROM audit WHERE action ~ 'member|invit'")]
    assert actions == ["member.invited", "invitation.accepted"]


@pytest.mark.parametrize("settings", [{"sign_up": "closed"}], indirect=True)
async def test_a_new_user_signs_up_with_the_link_also_where_sign_up_is_closed(api: Harness) -> None:
    async with session_factory(api.settings.database_url, 2) as sessions, sessions.begin() as session:
        owner_id = await add_user(session, "owner@example.com", "x")
        account = await add_account(session, "Figs", owner_id)
        actor = Actor("user", owner_id, {account: "owner"}, frozenset({"read", "write"}), b"")
        _, token = await invitations.invite_member(session, actor, account, "new@example.com", "admin", None)
    assert token is not None
    assert (await sign_up_with(api, token, "short"))[0] == 422
    assert (await sign_up_with(api, "unknown"))[0] == 422
    status, answer = await sign_up_with(api, token)
    assert status == 201
    viewer = (await api.ask(answer["headers"], ACCOUNTS))["data"]["viewer"]
    assert [(each["id"], each["role"]) for each in viewer["accounts"]] == [(answer["accountId"], "ADMIN")]
    assert (await sign_up_with(api, token))[0] == 422
    assert await api.sql("SELECT 1 FROM users WHERE email = 'new@example.com' AND password_hash LIKE '$argon2id$%'")


async def test_a_link_ends_with_time_revocation_another_link_and_its_inviter(api: Harness) -> None:
    owner = await api.sign_in()
    ada = await add_member(api, owner, "ada@example.com", "ADMIN")
    first = await invite(api, owner, "bob@example.com", "VIEWER", idempotencyKey="k")
    replay = await run(api, owner, INVITE, email="bob@example.com", role="VIEWER", idempotencyKey="k")
    assert (replay["link"], replay["invitation"]["email"]) == (None, "bob@example.com")
    second = await invite(api, ada, "bob@example.com", "VIEWER")

    async def is_open(token: str) -> bool:
        return (await api.ask({}, PREVIEW, {"token": token}))["data"]["invitation"] is not None

    assert [await is_open(first), await is_open(second)] == [False, True]
    assert codes(await run(api, owner, CHANGE, userId=await user_id(api, ada), role="VIEWER")) == []
    assert not await is_open(second)
    assert codes(await run(api, owner, CHANGE, userId=await user_id(api, ada), role="ADMIN")) == []
    assert await is_open(second)
    [(invitation,)] = await api.sql("SELECT id FROM invitations WHERE revoked_at IS NULL AND accepted_at IS NULL")
    [account] = (await api.ask(owner, ACCOUNTS))["data"]["viewer"]["accounts"]
    [listed] = account["invitations"]
    assert str(invitation) not in str(listed)
    assert codes(await run(api, owner, REVOKE, id=listed["id"])) == codes(
        await run(api, owner, REVOKE, id=listed["id"])
    )
    assert not await is_open(second)
    third = await invite(api, owner, "bob@example.com", "OWNER")
    await api.sql("UPDATE invitations SET expires_at = now()")
    assert not await is_open(third)
    await api.sql("UPDATE invitations SET expires_at = now() - interval '31 days'")
    async with session_factory(api.worker_settings.database_url, 2) as sessions:
        await delete_expired(sessions, api.worker_settings)
    assert await api.sql("SELECT 1 FROM invitations") == []


@pytest.mark.parametrize("works", [True, False])
async def test_a_link_is_mailed_or_else_shown(database_url: str, redis_url: str, tmp_path: Path, works: bool) -> None:
    mails: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mailbox\r\n")
        while words := (await reader.readline()).split():
            if words[0].upper() == b"DATA" and works:
                writer.write(b"354 go on\r\n")
                mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            answers = {b"EHLO": b"250 fine", b"QUIT": b"221 bye"}
            writer.write(answers.get(words[0].upper(), b"250 fine" if works else b"550 no") + b"\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    profile = ClusterProfile(smtp_url=SecretStr(f"smtp://127.0.0.1:{port}?from=fleet@example.com"))
    async with server, run_harness(database_url, redis_url, tmp_path, worker=False, profile=profile) as api:
        payload = await run(api, await api.sign_in(), INVITE, email="ada@example.com", role="VIEWER")
        link = payload["link"]
        assert payload["mailed"] is works
        if works:
            [mail] = [quopri.decodestring(mail).decode() for mail in mails]
            assert "To: ada@example.com" in mail
            assert "From: fleet@example.com" in mail
            assert "owner@example.com invites you to “owner's stores”" in mail
            assert link is None
            link = next(line.strip() for line in mail.splitlines() if "/invitation#token=" in line)
        assert (await api.ask({}, PREVIEW, {"token": token_of(link)}))["data"]["invitation"]["role"] == "VIEWER"


async def test_who_may_change_whom(api: Harness) -> None:
    """An owner manages all, an admin all but owners, a viewer nobody; tokens and strangers nobody at all."""
    owner = await api.sign_in()
    admin = await add_member(api, owner, "admin@example.com", "ADMIN")
    viewer = await add_member(api, owner, "viewer@example.com", "VIEWER")
    stranger_token, _ = await api.sign_up("stranger@example.com")
    stranger = await api.sign_in("stranger@example.com")
    ids = {name: await user_id(api, headers) for name, headers in
           {"owner": owner, "admin": admin, "viewer": viewer, "stranger": stranger}.items()}  # fmt: skip
    here = {"accountId": api.account}
    for headers in (viewer, {"Authorization": f"Bearer {api.token}"}):
        assert codes(await run(api, headers, INVITE, email="x@example.com", role="VIEWER", **here)) == ["FORBIDDEN"]
        assert codes(await run(api, headers, CHANGE, userId=ids["admin"], role="VIEWER", **here)) == ["FORBIDDEN"]
        assert codes(await run(api, headers, REMOVE, userId=ids["admin"], **here)) == ["FORBIDDEN"]
    for headers in (stranger, {"Authorization": f"Bearer {stranger_token}"}):
        assert codes(await run(api, headers, CHANGE, userId=ids["admin"], role="VIEWER", **here)) == ["NOT_FOUND"]
    assert codes(await run(api, admin, INVITE, email="x@example.com", role="OWNER", **here)) == ["FORBIDDEN"]
    for role in ("OWNER", "ADMIN"):
        target = ids["viewer"] if role == "OWNER" else ids["owner"]
        assert codes(await run(api, admin, CHANGE, userId=target, role=role, **here)) == ["FORBIDDEN"]
    assert codes(await run(api, admin, REMOVE, userId=ids["owner"], **here)) == ["FORBIDDEN"]
    assert codes(await run(api, admin, CHANGE, userId=ids["stranger"], role="ADMIN", **here)) == ["NOT_FOUND"]
    assert (await run(api, admin, CHANGE, userId=ids["viewer"], role="ADMIN", **here))["member"] == {"role": "ADMIN"}
    assert (await run(api, admin, CHANGE, userId=ids["viewer"], role="ADMIN", **here))["member"] == {"role": "ADMIN"}
    assert codes(await run(api, owner, REMOVE, userId="nonsense", **here)) == ["NOT_FOUND"]
    refused = await api.sql("SELECT DISTINCT action FROM audit WHERE result = 'refused'")
    assert {row["action"] for row in refused} == {"inviteMember", "changeRole", "removeMember"}
    changes = await api.sql("SELECT detail FROM audit WHERE action = 'member.role_changed'")
    assert [row["detail"] for row in changes] == ['{"role": "admin", "previous": "viewer"}']


async def test_an_account_keeps_an_owner(api: Harness) -> None:
    owner = await api.sign_in()
    me, here = await user_id(api, owner), {"accountId": api.account}
    assert codes(await run(api, owner, CHANGE, userId=me, role="VIEWER", **here)) == ["LAST_OWNER"]
    assert codes(await run(api, owner, REMOVE, userId=me, **here)) == ["LAST_OWNER"]
    other = await add_member(api, owner, "other@example.com", "OWNER")
    assert codes(await run(api, owner, REMOVE, userId=me, **here)) == []
    assert await roles(api, other) == {"other@example.com": "OWNER"}
    them = await user_id(api, other)
    assert codes(await run(api, other, REMOVE, userId=them, **here)) == ["LAST_OWNER"]


async def test_two_owners_demote_each_other_at_the_same_moment(api: Harness) -> None:
    owner = await api.sign_in()
    other = await add_member(api, owner, "other@example.com", "OWNER")
    me, them, here = await user_id(api, owner), await user_id(api, other), {"accountId": api.account}
    connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM accounts FOR NO KEY UPDATE")
            both = [
                asyncio.create_task(run(api, owner, CHANGE, userId=them, role="VIEWER", **here)),
                asyncio.create_task(run(api, other, REMOVE, userId=me, **here)),
            ]

            async def both_wait() -> bool:
                return len(await api.sql("SELECT 1 FROM pg_locks WHERE NOT granted")) == 2

            await wait_until(both_wait)
    finally:
        await connection.close()
    results = [codes(await task) for task in both]
    assert sorted(results) == [[], ["FORBIDDEN"]] or sorted(results) == [[], ["NOT_FOUND"]]
    owners = await api.sql("SELECT 1 FROM memberships m JOIN users u ON u.id = user_id WHERE role = 'owner' "
                           "AND email IN ('owner@example.com', 'other@example.com') AND account_id = "
                           "(SELECT account_id FROM invitations LIMIT 1)")  # fmt: skip
    assert len(owners) == 1


@pytest.mark.parametrize("change", ["demoted", "removed"])
async def test_open_sockets_and_tokens_lose_the_rights(
    api: Harness, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changefeed, "NOTIFY_ALL_SECONDS", 1e6)  # only the notification can end a socket
    owner = await api.sign_in()
    ada = await add_member(api, owner, "ada@example.com", "ADMIN")
    token = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret userErrors { code } } }"
    made = await run(api, ada, token, name="ada", scopes=["READ", "WRITE"], accountId=api.account)
    sockets = [await open_socket(api, headers=ada), await open_socket(api, made["secret"])]
    target = await user_id(api, ada)
    if change == "demoted":
        await run(api, owner, CHANGE, userId=target, role="VIEWER", accountId=api.account)
        assert [(await closed(socket))[0] for socket in sockets] == [4403, 4403]
    else:
        removed = await run(api, owner, REMOVE, userId=target, accountId=api.account)
        assert removed["member"] == {"email": "ada@example.com"}
        assert (await run(api, owner, REMOVE, userId=target, accountId=api.account)) == {
            "member": None,
            "userErrors": [],
        }
        assert [(await closed(socket))[0] for socket in sockets] == [4403, 4401]
    store = {"name": "x", "engine": "WOOCOMMERCE", "accountId": api.account}
    create = "mutation ($input: CreateStoreInput!) { createStore(input: $input) { userErrors { code } } }"
    expected = "FORBIDDEN" if change == "demoted" else "NOT_FOUND"
    assert codes(await run(api, ada, create, **store)) == [expected]


async def test_invitations_of_an_account_are_limited(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MAX_OPEN", 1)
    owner = await api.sign_in()
    await invite(api, owner, "a@example.com", "VIEWER")
    await invite(api, owner, "a@example.com", "ADMIN")  # instead of the first one
    assert codes(await run(api, owner, INVITE, email="b@example.com", role="VIEWER")) == ["QUOTA_EXCEEDED"]
    assert codes(await run(api, owner, INVITE, email="not an address", role="VIEWER")) == ["INVALID_EMAIL"]
