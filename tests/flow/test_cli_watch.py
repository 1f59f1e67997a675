"""`storefleet watch`, run in another thread."""

from typing import Any

import pytest

from cli.client import Client, ClientError
from cli.watch import STATUS
from tests.support.cli import run_storefleet
from tests.support.harness import DELETE, RETRY, Harness


async def test_a_store_that_failed_once_is_followed_to_where_it_is_now(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def watch() -> tuple[int, list[str]]:
        """The exit code, and the statuses that it prints."""
        capsys.readouterr()
        code = await run_storefleet(harness, monkeypatch, "watch", store["slug"])
        words = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
        return code, [word for word in words if word in ("failed", "provisioning", "ready", "deleted")]

    await harness.set_faults({"fault": "image", "component": "web"})
    store = await harness.create_store()
    assert await watch() == (1, ["provisioning", "failed"])
    await harness.set_faults()
    await harness.client().execute(RETRY, {"id": store["id"]})
    assert await watch() == (0, ["provisioning", "failed", "provisioning", "ready"])
    await harness.client().execute(DELETE, {"id": store["id"]})
    await harness.wait_for_status(store["id"], "DELETED")
    code, shown = await watch()
    assert (code, shown[-2:]) == (0, ["ready", "deleted"])

    async def fails_at_the_end(client: Client, query: str, *given: Any) -> Any:
        if query == STATUS:
            asked.append(query)
            if len(asked) == 3:
                raise ClientError("no answer")
        return await execute(client, query, *given)

    asked: list[str] = []
    execute = Client.execute
    monkeypatch.setattr(Client, "execute", fails_at_the_end)
    assert await watch() == (0, shown)
    assert len(asked) == 4
