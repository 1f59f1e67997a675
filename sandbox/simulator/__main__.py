"""The simulator as a process.

`python -m sandbox.simulator --kubeconfig PATH [--port 0] [--state FILE] [--programs FILE] [--speed X]`
"""

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path

import uvloop

from sandbox.simulator.programs import Programs, load_programs
from sandbox.simulator.server import run_simulator


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM or SIGINT. Prints one line of JSON when the API accepts requests."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with run_simulator(
        speed=options.speed,
        port=options.port,
        kubeconfig=options.kubeconfig,
        state=options.state,
        programs=options.programs,
    ) as simulator:
        line = {"server": simulator.url, "kubeconfig": str(options.kubeconfig), "pid": os.getpid()}
        print(json.dumps(line), flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.simulator", description="A simulated Kubernetes API.")
    parser.add_argument(
        "--port", type=int, default=0, help="on 127.0.0.1; 0: the port of the previous run, or any free port"
    )
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the kubeconfig file to write")
    parser.add_argument("--state", type=Path, help="the file that keeps the objects; without it they are lost at exit")
    parser.add_argument("--programs", type=_programs, help="a TOML file: what containers do, by component")
    parser.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds per real second, or inf")
    uvloop.run(serve(parser.parse_args()))


def _speed(text: str) -> float:
    speed = float(text)
    if not speed > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return speed


def _programs(path: str) -> Programs:
    try:
        return load_programs(Path(path))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
