"""`storefleet watch`: in another thread, as it would be in another terminal."""

import asyncio

import pytest

from cli.__main__ import main
from tests.flow.fleet import DELETE, RETRY, Fleet


async def test_a_store_that_failed_once_is_followed_to_where_it_is_now(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def watch() -> tuple[int, list[str]]:
        """Its exit code, and the statuses that it shows."""
        capsys.readouterr()
        code = await asyncio.to_thread(main)
        words = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
        return code, [word for word in words if word in ("failed", "provisioning", "ready", "deleted")]

    await fleet.fault({"fault": "image", "component": "web"})
    store = await fleet.create()
    monkeypatch.setenv("STOREFLEET_TOKEN", fleet.token)
    monkeypatch.setattr("sys.argv", ["storefleet", "watch", store["slug"], "--url", fleet.url])
    assert await watch() == (1, ["provisioning", "failed"])
    await fleet.fault()
    await fleet.client().execute(RETRY, {"id": store["id"]})
    assert await watch() == (0, ["provisioning", "failed", "provisioning", "ready"])
    await fleet.client().execute(DELETE, {"id": store["id"]})
    await fleet.until(store["id"], "DELETED")
    code, shown = await watch()
    assert (code, shown[-2:]) == (0, ["ready", "deleted"])
