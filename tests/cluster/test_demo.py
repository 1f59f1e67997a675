"""`make demo CLUSTER=control-plane`: the main job on a real API server, and again on the same folder."""

from pathlib import Path

from tests.flow.test_demo import demo, free_port, gone_within, run


def test_the_main_job_twice(data: Path) -> None:
    for slug in ("demo-shop", "demo-shop-2"):
        done = run([*demo(data, free_port(), "--once"), "--cluster", "control-plane"], 120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"createStore → Demo Shop ({slug})" in done.stdout
        assert "READY  SIMULATED" in done.stdout  # nobody bought anything: the nodes are fake
        assert gone_within(data, 5)
