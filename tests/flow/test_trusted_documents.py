"""Trusted documents by their hash, and installations that allow only them, or that hide the schema."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from schema.trusted_documents import TrustedDocumentsError, load_trusted_documents
from tests.support.harness import Harness, run_harness
from tests.support.sockets import open_socket, run_operation
from tests.support.waiting import HANG_SECONDS

STORE = "query Store($slug: String) {\n  store(slug: $slug) { ...Name }\n}\nfragment Name on Store { name }"
STORE_ID = hashlib.sha256(STORE.encode()).hexdigest()
SAME = """fragment Name on Store { __typename name }
query Store($slug: String) { store(slug: $slug) { ...Name __typename } }"""
OTHER = "query Store($slug: String) { store(slug: $slug) { id } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "program.json").write_text(json.dumps({STORE_ID: STORE}))
    return folder


async def ask(api: Harness, **request: Any) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    async with api.http.post(f"{api.url}/graphql", json=request, headers=headers) as response:
        return response.status, await response.json()


def code(answer: Any) -> str:
    found: str = answer["errors"][0]["extensions"]["code"]
    return found


async def test_only_trusted_documents(database_url: str, redis_url: str, tmp_path: Path, folder: Path) -> None:
    limits: dict[str, Any] = {"trusted_documents": folder, "accepted_documents": "trusted", "sign_up": "closed"}
    async with run_harness(database_url, redis_url, tmp_path, worker=False, **limits) as api:
        for request in (
            {"documentId": f"sha256:{STORE_ID}"},
            {"documentId": STORE_ID},
            {"query": STORE},
            {"query": SAME},
        ):
            status, answer = await ask(api, **request, variables={"slug": "none"})
            assert (status, code(answer)) == (200, "UNAUTHENTICATED"), request
        for query in (OTHER, "{ __schema { queryType { name } } }", "{ signUpOpen }"):
            assert code((await ask(api, query=query))[1]) == "DOCUMENT_NOT_TRUSTED"
        assert (await ask(api, documentId="sha256:unknown"))[0] == 404
        assert (await ask(api, documentId=7))[0] == 404
        assert (await ask(api, documentId=STORE_ID, query=STORE))[0] == 400
        parameters = {"documentId": STORE_ID, "variables": '{"slug": "none", "documentId": "x"}'}
        async with api.http.get(f"{api.url}/graphql", params=parameters) as response:
            assert code(await response.json()) == "UNAUTHENTICATED"
        socket = await open_socket(api)
        for identity, expected in ((STORE_ID, "UNAUTHENTICATED"), ("unknown", "GRAPHQL_VALIDATION_FAILED")):
            payload = {"documentId": identity, "variables": {"slug": "none"}}
            await socket.send_json({"id": identity, "type": "subscribe", "payload": payload})
            message = await socket.receive_json(timeout=HANG_SECONDS)
            while message["id"] != identity or message["type"] == "complete":
                message = await socket.receive_json(timeout=HANG_SECONDS)
            errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            assert errors[0]["extensions"]["code"] == expected
        assert (await run_operation(socket, OTHER))["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


@pytest.mark.parametrize("settings", [{"introspection": "closed"}], indirect=True)
async def test_without_introspection_nothing_shows_the_schema(api: Harness) -> None:
    for query in (
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { description } }",
    ):
        assert code((await ask(api, query=query))[1]) == "GRAPHQL_VALIDATION_FAILED"
    mistakes = ("{ viewr { user { id } } }", '{ store(slg: "x") { id } }', "{ ... on Qery { signUpOpen } }")
    for query in mistakes:
        assert "Did you mean" not in json.dumps(await ask(api, query=query))
    enum = 'mutation ($e: Engine!) { createStore(input: {name: "x", engine: $e}) { store { id } } }'
    assert "WOOCOMMERCE" not in json.dumps((await ask(api, query=enum, variables={"e": "WOOCOMERCE"}))[1])
    assert (await ask(api, query="{ __typename }"))[1]["data"] == {"__typename": "Query"}


async def test_suggestions_by_default(api: Harness) -> None:
    assert "Did you mean 'viewer'?" in json.dumps((await ask(api, query="{ viewr { user { id } } }"))[1])


@pytest.mark.parametrize("text", ["[]", "{", '{"abc": "{ x }"}', '{"abc": 7}', "\xff"])
def test_a_file_that_can_not_be_used_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(TrustedDocumentsError, match=r"wrong\.json"):
        load_trusted_documents([tmp_path])


def test_the_folder_may_be_missing(tmp_path: Path) -> None:
    assert load_trusted_documents([tmp_path / "none"]).find(STORE_ID) is None
