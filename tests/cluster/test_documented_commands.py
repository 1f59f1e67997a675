"""The chart is rendered with the options of each `helm` command in the documents."""

import shlex
from pathlib import Path

import pytest

from tests.support.chart import SCENARIOS
from tests.support.documented_commands import DOCUMENTS, ROOT, commands
from tests.support.helm import NEWEST, Helm

CHART = "charts/storefleet"
COMMANDS = {
    shlex.join(words): document for document in DOCUMENTS for words in commands(document, "helm") if CHART in words
}
OF_THE_CLUSTER = ("--install", "--create-namespace", "--reset-then-reuse-values", "--wait", "--wait-for-jobs")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_chart_accepts_it(helm: Helm, command: str) -> None:
    verb, *words = shlex.split(command)
    assert verb in ("install", "upgrade")
    while "--timeout" in words:
        del words[words.index("--timeout") : words.index("--timeout") + 2]
    options = [str(ROOT / word) if word.startswith(CHART) else word for word in words if word not in OF_THE_CLUSTER]
    if "--reset-then-reuse-values" in words:  # the values of the installation before
        options += [word for file in SCENARIOS["bundled"] for word in ("--values", str(file))]
    assert helm.run("template", *options, "--kube-version", NEWEST)


def test_there_are_commands() -> None:
    assert {"SETUP.md", "OPERATIONS.md", "README.md"} <= {Path(document).name for document in COMMANDS.values()}
