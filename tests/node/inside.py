"""What a process of a store's container can reach and may do: asked from where it is, in its own namespaces."""

import subprocess
import sys
from pathlib import Path

import psutil

from tests.node.real import RealNode

DIAL = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def dial(place):
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
        return "open"
    except OSError as error:
        return type(error).__name__
places = sys.argv[1:]
print(*ThreadPoolExecutor(len(places)).map(dial, places))
"""
ASK = """
import socket, struct, sys
server, name = sys.argv[1:]
question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0" + struct.pack("!HH", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(2)
    asking.sendto(struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + question, (server, 53))
    answer = asking.recv(512)
print(socket.inet_ntoa(answer[-4:]) if struct.unpack("!H", answer[6:8])[0] else "nobody")
"""


def of_store(node: RealNode, program: str, pods: set[str]) -> list[psutil.Process]:
    """The processes of that program that belong to one of those pods (by UID)."""
    return [
        process
        for process in node.processes(program)
        if any(uid in Path(f"/proc/{process.pid}/cgroup").read_text() for uid in pods)
    ]


def dial(process: psutil.Process, *places: str) -> dict[str, bool]:
    """Whether a TCP connection from the process's network to each `address:port` is made."""
    return dict(zip(places, (line == "open" for line in _in_network_of(process, DIAL, *places)), strict=True))


def ask_dns(process: psutil.Process, server: str, name: str) -> str:
    """The address that the name server gives, or `nobody`."""
    [answer] = _in_network_of(process, ASK, server, name)
    return answer


def _in_network_of(process: psutil.Process, script: str, *words: str) -> list[str]:
    argv = ["nsenter", "-t", str(process.pid), "-n", "--", sys.executable, "-c", script, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def status(process: psutil.Process) -> dict[str, str]:
    """/proc/<pid>/status."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def mounts(process: psutil.Process) -> dict[str, set[str]]:
    """Its mount points, each with its options."""
    found = {}
    for line in Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines():
        words = line.split()
        found[words[4]] = set(words[5].split(","))
    return found
