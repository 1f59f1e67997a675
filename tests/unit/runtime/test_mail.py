"""A mail server that hangs delays mail, and nothing else."""

import asyncio

import pytest
from pydantic import SecretStr

from runtime import mail
from tests.support.waiting import HANG_SECONDS, hang_limit

MAILS = 40
"""More than the event loop has threads, on any machine: at most 32."""


async def test_a_mail_server_that_hangs_delays_no_look_up_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", HANG_SECONDS)
    connected, released = asyncio.Semaphore(0), asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.release()
        await released.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server, hang_limit():
        url = SecretStr(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")

        async def send() -> bool:
            return await mail.send_mail(url, "fleet@example.com", "ada@example.com", "You are invited", "A link")

        monkeypatch.setattr(mail, "SEND_SECONDS", HANG_SECONDS)
        sending = [asyncio.create_task(send()) for _ in range(MAILS)]
        for _ in range(4):
            await connected.acquire()
        assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)
        assert not any(task.done() for task in sending)
        monkeypatch.setattr(mail, "SEND_SECONDS", 0.01)
        assert not await send()  # it never gets a thread
        released.set()
        assert not any(await asyncio.gather(*sending))
