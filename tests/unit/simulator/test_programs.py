"""What simulated containers do is configuration: the simulator itself knows nothing of the product."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.demo_cluster import SIMULATED_PROGRAMS
from sandbox.simulator.__main__ import main
from sandbox.simulator.programs import Program, find_program, load_programs

SIMULATOR = Path(__file__).parents[3] / "sandbox" / "simulator"
PRODUCT_WORDS = re.compile(
    r"storefleet|\b(stores?|shops?|merchants?|engines?|plans?|proofs?|receipts?|install\w*|rotat\w+|"
    r"wordpress|woocommerce|medusa|mysqld?|mariadb|apache2?|php)\b",
    re.IGNORECASE,
)


def test_no_product_word_is_in_the_simulator() -> None:
    paths = list(SIMULATOR.glob("*.py"))
    found = [
        f"{path.name}:{number}: {line}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PRODUCT_WORDS.search(line)
    ]
    assert found == []
    assert len(paths) > 20


def test_the_programs_of_a_store_are_valid_and_its_receipt_says_simulated() -> None:
    programs = load_programs(SIMULATED_PROGRAMS)
    own = {f"medusa/{component}" for component in ("web", "worker", "valkey", "database", "install", "proof")}
    assert programs.keys() == {"web", "database", "install", "proof", "rotate", "cron"} | own
    for proof in ("proof", "medusa/proof"):
        assert programs[proof].waits_for == ("Deployment", "StatefulSet")
        receipt = json.loads(programs[proof].termination_message)
        assert receipt["simulated"] is True
        assert receipt["totalMs"] == sum(step["ms"] for step in receipt["steps"])


def test_a_program_is_of_a_component_or_of_one_engine_s() -> None:
    def pod(**labels: str) -> dict[str, Any]:
        return {"metadata": {"labels": {f"app.kubernetes.io/{name}": value for name, value in labels.items()}}}

    one, other = Program(seconds=1), Program(seconds=2)
    programs = {"web": one, "medusa/web": other}
    assert find_program(programs, pod(name="medusa", component="web")) is other
    assert find_program(programs, pod(name="woocommerce", component="web")) is one
    assert find_program(programs, pod(component="web")) is one
    assert find_program(programs, pod(component="database")) == find_program(programs, {"metadata": {}}) == Program()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[web", "Expected ']'"),
        ("[web]\nduration = 1", "Unexpected keyword argument"),
        ('[web]\nwaits_for = ["Job"]', "Input should be 'Deployment' or 'StatefulSet'"),
    ],
)
def test_an_invalid_file_of_programs_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "programs.toml"
    path.write_text(content)
    with pytest.raises(ValueError, match=re.escape(message)):
        load_programs(path)


@pytest.mark.parametrize(
    ("option", "message"),
    [(("--speed", "0"), "must be more than 0"), (("--programs", "/none.toml"), "No such file or directory")],
)
def test_it_does_not_start_with_invalid_options(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    option: tuple[str, str],
    message: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["simulator", "--kubeconfig", str(tmp_path / "kubeconfig"), *option])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert message in capsys.readouterr().err
