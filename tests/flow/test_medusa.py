"""A MedusaJS store on the simulated cluster: its steps, its credentials and a new password."""

from tests.support.harness import Harness
from tests.support.stores import rotate_password, wait_until_idle

STEPS = ["credentials", "namespace", "isolation", "database", "install", "web", "proof"]
REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { url username password } } }"


async def test_a_medusa_store_is_made_like_any_other(harness: Harness) -> None:
    store = await harness.create_store(engine="MEDUSA", name="Fig", adminEmail="Owner@Example.com")
    assert [step["name"] for step in store["steps"]] == STEPS
    await harness.wait_for_status(store["id"], "READY")
    await wait_until_idle(harness)
    ready = await harness.get_store(store["id"])
    assert ready["receipt"]["simulated"] is True
    revealed = await harness.client().execute(REVEAL, {"id": store["id"]})
    credentials = revealed["revealAdminCredentials"]["credentials"]
    # Medusa's users have no other name
    assert credentials["username"] == "owner@example.com"
    assert credentials["url"] == f"{ready['url']}/app"
    assert (await rotate_password(harness, store["id"]))["userErrors"] == []
