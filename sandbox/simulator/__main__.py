"""`python -m sandbox.simulator --port 0 --kubeconfig PATH [--state FILE] [--speed X]`: the simulation as a process."""

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path

import uvloop

from sandbox.simulator.server import running


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM or SIGINT; prints one line of JSON when the API can be used."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(
        speed=options.speed, port=options.port, kubeconfig=options.kubeconfig, state=options.state
    ) as simulator:
        line = {"server": simulator.url, "kubeconfig": str(options.kubeconfig), "pid": os.getpid()}
        print(json.dumps(line), flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.simulator", description="A simulated Kubernetes API.")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: the one of last time, or any")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="where to write how to reach it")
    parser.add_argument("--state", type=Path, help="where to keep the objects; without it they end with the process")
    parser.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds a second, or inf")
    uvloop.run(serve(parser.parse_args()))


def _speed(text: str) -> float:
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return speed


if __name__ == "__main__":
    main()
