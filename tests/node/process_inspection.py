"""Inspects processes of a store's containers: connections from their network namespace, credentials, mounts."""

import subprocess
import sys
from pathlib import Path

import psutil

from tests.node.real_node import RealNode

CONNECT_SCRIPT = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def connect(target):
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
        return "open"
    except OSError as error:
        return type(error).__name__
targets = sys.argv[1:]
print(*ThreadPoolExecutor(len(targets)).map(connect, targets))
"""
DNS_QUERY_SCRIPT = """
import socket, struct, sys
server, name = sys.argv[1:]
question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0" + struct.pack("!HH", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(2)
    asking.sendto(struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + question, (server, 53))
    answer = asking.recv(512)
print(socket.inet_ntoa(answer[-4:]) if struct.unpack("!H", answer[6:8])[0] else "not found")
"""


def processes_of_pods(node: RealNode, program: str, pods: set[str]) -> list[psutil.Process]:
    """The processes with that program name in the pods with these UIDs."""
    return [
        process
        for process in node.processes(program)
        if any(uid in Path(f"/proc/{process.pid}/cgroup").read_text() for uid in pods)
    ]


def can_connect(process: psutil.Process, *targets: str) -> dict[str, bool]:
    """`address:port` -> whether the process's network namespace can connect to it."""
    return dict(
        zip(targets, (line == "open" for line in _in_network_of(process, CONNECT_SCRIPT, *targets)), strict=True)
    )


def resolve_name(process: psutil.Process, server: str, name: str) -> str:
    """The address of the name, or `not found`."""
    [answer] = _in_network_of(process, DNS_QUERY_SCRIPT, server, name)
    return answer


def _in_network_of(process: psutil.Process, script: str, *words: str) -> list[str]:
    argv = ["nsenter", "-t", str(process.pid), "-n", "--", sys.executable, "-c", script, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def process_status(process: psutil.Process) -> dict[str, str]:
    """/proc/<pid>/status."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def mounts(process: psutil.Process) -> dict[str, set[str]]:
    """Mount point -> options."""
    found = {}
    for line in Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines():
        words = line.split()
        found[words[4]] = set(words[5].split(","))
    return found
