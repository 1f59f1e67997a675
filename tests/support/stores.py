"""What tests do with a store and its namespace, again and again."""

import json

from schema.ids import decode_id
from tests.support.harness import JSON, Harness
from tests.support.waiting import wait_until

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
ROTATE = """
mutation ($id: ID!, $key: String) { rotateAdminPassword(input: {id: $id, idempotencyKey: $key}) {
  store { status } userErrors { code field message }
} }
"""
CHANGE_PLAN = """
mutation ($id: ID!, $plan: Plan!, $key: String) { changePlan(input: {id: $id, plan: $plan, idempotencyKey: $key}) {
  store { status plan } userErrors { code field message }
} }
"""
PASSWORD_CHANGED = "The owner's password was changed."
GROUPS = {
    "deployments": "apis/apps/v1",
    "statefulsets": "apis/apps/v1",
    "cronjobs": "apis/batch/v1",
    "networkpolicies": "apis/networking.k8s.io/v1",
    "ingresses": "apis/networking.k8s.io/v1",
    "rolebindings": "apis/rbac.authorization.k8s.io/v1",
}


def namespace_of(store_id: str) -> str:
    """The name of the namespace of the store with that global id."""
    return f"store-{decode_id('Store', store_id)}"


def object_path(namespace: str, collection: str, name: str) -> str:
    """The path of an object in the Kubernetes API, e.g. of collection `deployments`."""
    return f"/{GROUPS.get(collection, 'api/v1')}/namespaces/{namespace}/{collection}/{name}"


async def create_ready_store(harness: Harness, **given: str) -> tuple[JSON, str]:
    """A READY store, and its namespace. `given`: of createStore's input."""
    store = await harness.create_store(**given)
    await harness.wait_for_status(store["id"], "READY")
    return await harness.get_store(store["id"]), namespace_of(store["id"])


async def request_object(
    harness: Harness, method: str, path: str, body: JSON | None = None, media_type: str = STRATEGIC_MERGE
) -> JSON:
    """The object that the Kubernetes API answers with; the status must be 200. `media_type`: of a PATCH."""
    headers = {"Content-Type": media_type} if method == "PATCH" else {}
    status, answer = await harness.kubernetes_request(method, path, body, **headers)
    assert status == 200, answer
    item: JSON = answer
    return item


async def exists(harness: Harness, path: str) -> bool:
    """Whether there is such an object."""
    status, _ = await harness.kubernetes_request("GET", path)
    return status == 200


async def is_gone(harness: Harness, path: str) -> bool:
    """Whether there is no such object."""
    status, _ = await harness.kubernetes_request("GET", path)
    return status == 404


async def notices(harness: Harness) -> list[str]:
    """The messages of all events of type NOTICE, in order."""
    return [
        row["message"] for row in await harness.sql("SELECT message FROM events WHERE type = 'NOTICE' ORDER BY seq")
    ]


async def has_notice(harness: Harness, words: str) -> bool:
    """Whether a NOTICE contains these words."""
    return any(words in message for message in await notices(harness))


async def count_succeeded(harness: Harness, step: str) -> int:
    """How often the step succeeded, in all stores."""
    ended = json.dumps({"name": step, "status": "SUCCEEDED"})
    return len(await harness.sql("SELECT 1 FROM events WHERE step @> $1", ended))


async def rotate_password(harness: Harness, store_id: str, key: str | None = None) -> JSON:
    """The payload of rotateAdminPassword. `key`: the idempotency key."""
    payload: JSON = (await harness.client().execute(ROTATE, {"id": store_id, "key": key}))["rotateAdminPassword"]
    return payload


async def change_plan(harness: Harness, store_id: str, plan: str, key: str | None = None) -> JSON:
    """The payload of changePlan. `key`: the idempotency key."""
    variables = {"id": store_id, "plan": plan, "key": key}
    payload: JSON = (await harness.client().execute(CHANGE_PLAN, variables))["changePlan"]
    return payload


async def resync(harness: Harness) -> None:
    """Make every store due now, as the periodic resync does every few hours."""
    await harness.sql("UPDATE stores SET due_at = now()")


async def end_leases(harness: Harness) -> None:
    """What killed workers held is free: their leases would end by themselves 10 s later."""
    await harness.sql("UPDATE stores SET lease_until = now()")
    await harness.sql("UPDATE observer_leases SET until = now()")


async def wait_until_idle(harness: Harness) -> None:
    """Wait until no pass over any store has run or was due for a moment."""
    idle = 0

    async def idle_for_a_moment() -> bool:
        nonlocal idle
        busy = await harness.sql(
            "SELECT 1 FROM stores WHERE due_at < now() + interval '1 minute' OR lease_until IS NOT NULL"
        )
        idle = 0 if busy else idle + 1
        return idle == 4

    await wait_until(idle_for_a_moment)


async def wait_for_health_cause(harness: Harness, store: JSON, words: str) -> JSON:
    """Query the store until the cause of its health contains these words. Returns the store."""
    found: JSON = {}

    async def has_cause() -> bool:
        nonlocal found
        found = await harness.get_store(store["id"])
        return words in ((found["health"] or {}).get("cause") or "")

    await wait_until(has_cause)
    return found


async def all_hang(harness: Harness) -> bool:
    """Whether each fault, of 9 times, holds a request."""
    _, faults = await harness.kubernetes_request("GET", "/_sim/faults")
    return all(fault["times"] < 9 for fault in json.loads(faults))


async def run_cron_job(harness: Harness, namespace: str, *, name: str = "cron-now", fails: bool = False) -> str:
    """Create the Job that the CronJob `cron` would create at its next time, and wait for its end. Returns its path."""
    cron = await request_object(harness, "GET", object_path(namespace, "cronjobs", "cron"))
    template = cron["spec"]["jobTemplate"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": template["spec"]}
    job["metadata"] = {"name": name, "labels": template["metadata"]["labels"]}
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    assert (await harness.kubernetes_request("POST", jobs, job))[0] == 201

    expected, other = ("failed", "succeeded") if fails else ("succeeded", "failed")

    async def ended() -> bool:
        status = (await request_object(harness, "GET", f"{jobs}/{name}"))["status"]
        assert other not in status, status
        return bool(status.get(expected))

    await wait_until(ended)
    return f"{jobs}/{name}"


def foreign_deployment(replicas: int) -> JSON:
    """A Deployment that an administrator may run in a store's namespace: small, restricted, without our labels."""
    container = {
        "name": "main",
        "image": "localhost/pause:1",
        "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"cpu": "10m", "memory": "8Mi", "ephemeral-storage": "1Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"automountServiceAccountToken": False, "containers": [container], "securityContext": user}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bomb"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "bomb"}},
            "template": {"metadata": {"labels": {"app": "bomb"}}, "spec": pod},
        },
    }
