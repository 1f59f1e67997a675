"""A third engine is one module and one setting: processes as in production, nothing edited anywhere."""

import asyncio
import sys

from runtime.listener import bind
from tests.flow.fleet import ROOT, Fleet, process_environment
from tests.flow.test_rotation import rotate

ENGINES = "workers.engines.woocommerce,workers.engines.medusa,tests.toy_engine"


async def test_a_toy_engine_is_offered_made_and_proven(api: Fleet) -> None:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    environment = process_environment(api.settings, STOREFLEET_ENGINES=ENGINES, STOREFLEET_PORT=str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "api", cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    api.children.append(process)
    await api.worker_process(STOREFLEET_ENGINES=ENGINES)
    api.url = f"http://127.0.0.1:{port}"
    await api.poll(lambda: answers(api), 20)
    offered = (await api.client().execute("{ engines { name title available setups rotatesAdminPassword } }"))[
        "engines"
    ]
    does = {"name": "TOY", "title": "A toy", "available": True, "setups": ["READY"], "rotatesAdminPassword": False}
    assert offered[-1] == does
    refused = await api.try_create(engine="TOY", name="Toys", setup="WIZARD")
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("INVALID_SETUP", "setup")]
    store = await api.create(engine="TOY", name="Toys")
    assert [step["name"] for step in store["steps"]] == ["credentials", "namespace", "isolation", "web", "proof"]
    await api.until(store["id"], "READY")
    [error] = (await rotate(api, store["id"]))["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_SUPPORTED", "id")


async def answers(api: Fleet) -> bool:
    return await api.client().get("/readyz") == 200
