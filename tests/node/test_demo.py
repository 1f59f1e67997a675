"""`make demo CLUSTER=node`: the main job with real containers, and again on the same folder."""

from pathlib import Path

from tests.flow.test_demo import demo, free_port, gone_within, run
from tests.node.real import traces


def test_the_main_job_twice(data: Path, archives: dict[str, Path]) -> None:
    before, port = traces(data), free_port()
    for slug in ("demo-shop", "demo-shop-2"):
        done = run([*demo(data, port, "--once"), "--cluster", "node"], 240)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"createStore → Demo Shop ({slug})" in done.stdout
        assert "READY" in done.stdout
        assert "SIMULATED" not in done.stdout
        assert f"http://{slug}.localhost:{port + 80}" in done.stdout
        assert gone_within(data, 5)
        assert traces(data) == before
