"""The GraphQL playground: example operations, a subscription, and the documentation of the schema."""

import re

from playwright.async_api import expect

from tests.browser.conftest import SignedInPage
from tests.support.harness import Harness


async def test_the_examples_run_by_the_session(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard()
    requested: set[str] = set()
    page.on("request", lambda request: requested.add(request.url))
    await page.goto(f"{harness.url}/graphiql")
    execute = page.get_by_role("button", name=re.compile("^Execute query"))
    stop = page.get_by_role("button", name=re.compile("^Stop query"))
    result = page.get_by_role("region", name="Result Window")
    await expect(page.get_by_role("region", name="Query Editor")).to_contain_text("query Stores")

    async def run(name: str) -> None:
        await page.get_by_role("tab", name=name).click()
        # GraphiQL takes over a tab's operation with a delay.
        await page.wait_for_function("(name) => localStorage.getItem('graphiql:operationName') === name", arg=name)
        await execute.click()

    await run("Viewer")
    await expect(result).to_contain_text("owner@example.com")
    await run("Events")
    await expect(stop).to_be_visible()
    await harness.create_store(name="Seen Live")
    await expect(result).to_contain_text("READY: proven")
    await stop.click()
    await run("CreateStore")
    await expect(result).to_contain_text("fig-olive")
    assert [row["name"] for row in await harness.sql("SELECT name FROM stores ORDER BY created_at")] == [
        "Seen Live",
        "Fig & Olive",
    ]
    assert {url for url in requested if not url.startswith((f"{harness.url}/", "data:"))} == set()


async def test_the_schema_is_documented(harness: Harness, open_dashboard: SignedInPage) -> None:
    page = await open_dashboard("/graphiql")
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    documentation = page.get_by_role("region", name="Documentation Explorer")
    await expect(documentation).to_contain_text("Mutation")
    await page.get_by_role("link", name="Mutation", exact=True).click()
    await expect(documentation).to_contain_text("createStore")
