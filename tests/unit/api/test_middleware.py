"""For an internal error, the caller sees a request id and nothing else."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.middleware import RequestMiddleware

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}


async def empty_body() -> Message:
    return {"type": "http.request"}


async def test_a_defect_is_masked() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("the password is olive")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestMiddleware(broken)(dict(SCOPE), empty_body, send)
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 500
    assert "olive" not in str(sent)
    assert headers[b"x-request-id"].decode() in sent[1]["body"].decode()


async def test_an_answer_that_has_begun_is_cut_off() -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="too late"):
        await RequestMiddleware(broken)(dict(SCOPE), empty_body, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
