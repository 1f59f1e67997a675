"""`make demo CLUSTER=control-plane`: the main job on a real API server, and again on the same folder."""

from pathlib import Path

from sandbox.ports import free_port
from tests.support.demo import demo_command, run_command, survivors
from tests.support.waiting import eventually


def test_the_main_job_twice(data: Path) -> None:
    for slug in ("demo-shop", "demo-shop-2"):
        done = run_command([*demo_command(data, free_port(), "--once"), "--cluster", "control-plane"])
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"createStore → Demo Shop ({slug})" in done.stdout
        assert "READY  SIMULATED" in done.stdout  # the nodes are fake, so the purchase is simulated
        assert eventually(lambda: not survivors(data))
