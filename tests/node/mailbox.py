"""A mail server of the smallest kind, in a container's network: it takes whatever it is given, and keeps it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.node.containers import Container

PORT = 2525
SERVE = """
import asyncio, base64, json, sys

async def serve(reader, writer):
    def say(line):
        writer.write(line.encode() + b"\\r\\n")
    say("220 mailbox")
    who, sender = None, None
    while line := await reader.readline():
        word = line.split()[0].upper() if line.strip() else b""
        if word == b"EHLO":
            say("250-mailbox")
            say("250 AUTH PLAIN")
        elif word == b"AUTH":
            say("334 ")
            who = base64.b64decode(await reader.readline()).decode().split("\\0")[1:]
            say("235 welcome")
        elif word == b"MAIL":
            sender = line.decode().partition("<")[2].partition(">")[0]
            say("250 fine")
        elif word == b"DATA":
            say("354 go on")
            text = await reader.readuntil(b"\\r\\n.\\r\\n")
            print(json.dumps({"who": who, "sender": sender, "text": text.decode()}), flush=True)
            say("250 kept")
        elif word == b"QUIT":
            say("221 bye")
            break
        else:
            say("250 fine")
    writer.close()

async def silence(reader, writer):
    await reader.read()

async def main():
    server = await asyncio.start_server(globals()[sys.argv[2]], "127.0.0.1", int(sys.argv[1]))
    print(json.dumps("ready"), flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@dataclass(frozen=True)
class Mail:
    """One that was delivered."""

    who: list[str] | None
    """Name and password that its sender signed in with."""
    sender: str
    """Of the envelope."""
    text: str


@dataclass(frozen=True)
class Mailbox:
    """All mail so far."""

    file: Path

    @property
    def mails(self) -> list[Mail]:
        return [Mail(**json.loads(line)) for line in self.file.read_text().splitlines()[1:]]


@contextmanager
def mailbox(container: Container, folder: Path, does: str = "serve") -> Iterator[Mailbox]:
    """On loopback of that container, at PORT; with `silence` one that answers nothing."""
    box = Mailbox(folder / "mails")
    with container.beside(SERVE, box.file, str(PORT), does):
        yield box
