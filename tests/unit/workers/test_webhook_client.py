"""The address of a webhook is checked for each connection, after the name was looked up."""

import socket
from typing import Any

import pytest

from tests.support.webhook_receiver import run_receiver
from workers.webhooks import client
from workers.webhooks.client import open_client


async def test_a_name_that_leads_elsewhere_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: allowed at first, private later. The allowed address stands for a public one here."""
    async with run_receiver() as receiver, open_client(["127.0.0.1"], 2) as sender:
        port = int(receiver.url.rpartition(":")[2])
        answers: list[list[str]] = []
        look_up = socket.getaddrinfo

        def changing(host: Any, *given: Any, **more: Any) -> list[Any]:
            if host != "shop.example":
                return look_up(host, *given, **more)
            kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*kind, (address, port)) for address in answers.pop(0)]

        monkeypatch.setattr(socket, "getaddrinfo", changing)
        for addresses, error in (
            (["127.0.0.1"], None),
            (["127.0.0.2"], client.PRIVATE),
            (["169.254.169.254", "10.0.0.1"], client.PRIVATE),
            (["10.0.0.1", "127.0.0.1"], None),  # only the allowed one of them
        ):
            answers.append(addresses)
            attempt = await sender.post(f"http://shop.example:{port}/a?b=%2F", "{}", {})
            assert attempt.error == error, addresses
        assert [item.path for item in receiver.received] == ["/a", "/a"]


async def test_names_and_certificates_that_are_wrong() -> None:
    async with run_receiver() as receiver, open_client(["127.0.0.1"], 2) as sender:
        for url, error in {
            "http://nothing.invalid/": client.NO_ADDRESS,
            receiver.url.replace("http", "https"): client.BAD_CERTIFICATE,
            "http://127.0.0.1:1/": client.NO_CONNECTION,
        }.items():
            assert (await sender.post(url, "{}", {})).error == error
        assert receiver.received == []
