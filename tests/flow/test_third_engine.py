"""A third engine is one module and one setting. API and worker run as processes, as in production."""

import asyncio
import sys

from sandbox.ports import free_port
from tests.support.harness import ROOT, Harness, process_environment
from tests.support.stores import rotate_password
from tests.support.waiting import wait_until

ENGINES = "workers.engines.woocommerce,workers.engines.medusa,tests.support.announced_engine,tests.support.toy_engine"


async def test_a_toy_engine_is_offered_made_and_proven(api: Harness) -> None:
    port = free_port()
    environment = process_environment(api.api_settings, STOREFLEET_ENGINES=ENGINES, STOREFLEET_PORT=str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "api", cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    api.processes.append(process)
    await api.start_worker_process(STOREFLEET_ENGINES=ENGINES)
    api.url = f"http://127.0.0.1:{port}"
    await wait_until(lambda: answers(api))
    offered = (await api.client().execute("{ engines { name title available setups rotatesAdminPassword } }"))[
        "engines"
    ]
    does = {"name": "TOY", "title": "A toy", "available": True, "setups": ["READY"], "rotatesAdminPassword": False}
    assert offered[-1] == does
    assert [engine["title"] for engine in offered if not engine["available"]] == ["Announced"]
    refused = await api.create_store_payload(engine="ANNOUNCED", name="Toys")
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("ENGINE_UNAVAILABLE", "engine")]
    refused = await api.create_store_payload(engine="TOY", name="Toys", setup="WIZARD")
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("INVALID_SETUP", "setup")]
    store = await api.create_store(engine="TOY", name="Toys")
    assert [step["name"] for step in store["steps"]] == ["credentials", "namespace", "isolation", "web", "proof"]
    await api.wait_for_status(store["id"], "READY")
    [error] = (await rotate_password(api, store["id"]))["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_SUPPORTED", "id")


async def answers(api: Harness) -> bool:
    return await api.client().get("/readyz") == 200
