"""`make demo CLUSTER=node`, twice with the same data folder: a sample shop, then a MedusaJS store."""

from pathlib import Path

from sandbox.ports import free_port
from tests.node.real_node import machine_state
from tests.support.demo import demo_command, run_command, survivors
from tests.support.waiting import eventually


def test_the_main_job_twice(data: Path, archives: dict[str, Path]) -> None:
    before, port = machine_state(data), free_port()
    for slug, engine in (("demo-shop", "sample"), ("demo-shop-2", "medusa")):
        done = run_command([*demo_command(data, port, "--once"), "--cluster", "node", "--engine", engine], 600)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"createStore → Demo Shop ({slug})" in done.stdout
        assert "READY" in done.stdout
        assert "SIMULATED" not in done.stdout
        assert f"http://{slug}.localhost:{port + 80}" in done.stdout
        assert eventually(lambda: not survivors(data))
        assert machine_state(data) == before
