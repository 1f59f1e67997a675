"""`storefleet watch`: in another thread, as it would be in another terminal."""

from typing import Any

import pytest

from cli.client import Client, ClientError
from cli.watch import STATUS
from tests.flow.fleet import DELETE, RETRY, Fleet
from tests.flow.test_cli_logs import run


async def test_a_store_that_failed_once_is_followed_to_where_it_is_now(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def watch() -> tuple[int, list[str]]:
        """Its exit code, and the statuses that it shows."""
        capsys.readouterr()
        code = await run(fleet, monkeypatch, "watch", store["slug"])
        words = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
        return code, [word for word in words if word in ("failed", "provisioning", "ready", "deleted")]

    await fleet.fault({"fault": "image", "component": "web"})
    store = await fleet.create()
    assert await watch() == (1, ["provisioning", "failed"])
    await fleet.fault()
    await fleet.client().execute(RETRY, {"id": store["id"]})
    assert await watch() == (0, ["provisioning", "failed", "provisioning", "ready"])
    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.until(store["id"], "DELETED")
    code, shown = await watch()
    assert (code, shown[-2:]) == (0, ["ready", "deleted"])

    async def fails_at_the_end(client: Client, query: str, *given: Any) -> Any:
        if query == STATUS:
            asked.append(query)
            if len(asked) == 3:
                raise ClientError("nobody answers")
        return await execute(client, query, *given)

    asked: list[str] = []
    execute = Client.execute
    monkeypatch.setattr(Client, "execute", fails_at_the_end)
    assert await watch() == (0, shown)
    assert len(asked) == 4
