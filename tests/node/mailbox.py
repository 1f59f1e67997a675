"""A minimal SMTP server in a container's network namespace that accepts and records all mail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.node.containers import Container

PORT = 2525
SERVER_SCRIPT = """
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
    """A delivered mail."""

    who: list[str] | None
    """User name and password of the SMTP session."""
    sender: str
    """Of the envelope (MAIL FROM)."""
    text: str


@dataclass(frozen=True)
class Mailbox:
    """The recorded mail."""

    file: Path

    @property
    def mails(self) -> list[Mail]:
        return [Mail(**json.loads(line)) for line in self.file.read_text().splitlines()[1:]]


@contextmanager
def mailbox(container: Container, folder: Path, behavior: str = "serve") -> Iterator[Mailbox]:
    """Listens at PORT on the container's loopback address. `behavior`: `silence` for a server that never responds."""
    box = Mailbox(folder / "mails")
    with container.run_in_network(SERVER_SCRIPT, box.file, str(PORT), behavior):
        yield box
