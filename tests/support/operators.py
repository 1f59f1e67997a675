"""What tests of operators share."""

import argparse
from collections.abc import Mapping
from typing import Any

from cli.users import users
from schema.ids import decode_id
from tests.support.harness import JSON, Harness
from tests.support.rows import connected, new_store

ACCOUNT = (
    "accountId name storesUsed storeQuota creationsPerHour ownLimits suspension { since reason } members { email role }"
)
ACCOUNTS = (
    "query ($first: Int, $after: String, $last: Int, $before: String, $search: String, $suspended: Boolean) "
    "{ operator { accounts(first: $first, after: $after, last: $last, before: $before, search: $search, "
    f"suspended: $suspended) {{ nodes {{ {ACCOUNT} }} edges {{ cursor }} "
    "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"
)
LIMITS, SUSPEND, RESUME = (
    f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) "
    f"{{ account {{ {ACCOUNT} }} userErrors {{ code field message }} }} }}"
    for name in ("setAccountLimits", "suspendAccount", "resumeAccount")
)
VIEWER = """
{ viewer { isOperator user { email } impersonation { operator reason expiresAt } sessions { id current operator }
  accounts { suspension { reason } auditLog(first: 20) { nodes {
    action result actor { name } operator { name } details { name value } } } } } }
"""


async def become_operator(harness: Harness, state: str = "on", email: str = "operator@example.com") -> None:
    """Run `storefleet users operator`."""
    assert await users(harness.settings, argparse.Namespace(action="operator", email=email, state=state)) == 0


async def sign_in_operator(harness: Harness) -> JSON:
    """The headers of a signed-in operator."""
    await harness.sign_up("operator@example.com")
    await become_operator(harness)
    return await harness.sign_in("operator@example.com")


async def ask(harness: Harness, headers: JSON, query: str, **variables: Any) -> Any:
    """The answer's data; fails if there are errors."""
    answer = await harness.ask(headers, query, variables)
    assert "errors" not in answer, answer
    return answer["data"]


async def change(harness: Harness, headers: JSON, mutation: str, **given: Any) -> JSON:
    """The payload of a mutation of an operator."""
    [payload] = (await ask(harness, headers, mutation, input=given)).values()
    found: JSON = payload
    return found


async def operator_headers(harness: Harness) -> dict[str, str]:
    """The headers of a session of an operator, who has an account like everybody, with a store that failed."""
    _, account = await harness.sign_up("operator@example.net")
    await harness.sql("UPDATE users SET is_operator = true WHERE email = 'operator@example.net'")
    account_id = decode_id("Account", account)
    assert account_id is not None
    async with connected(harness.settings.database_url.get_secret_value()) as connection:
        broken = {"status": "FAILED", "failed_in": "UPDATING", "cause": "It broke."}
        await new_store(connection, account_id, cluster="elsewhere", **broken)
    return await harness.sign_in("operator@example.net")


async def impersonating_headers(harness: Harness, operator: Mapping[str, str], user_id: str) -> dict[str, str]:
    """The headers of a session in which the operator is signed in as the user."""
    given = {"userId": user_id, "reason": "A test."}
    async with harness.http.post(f"{harness.url}/auth/impersonation", json=given, headers=operator) as response:
        assert response.status == 200
        return {"Cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in response.cookies.items())}
