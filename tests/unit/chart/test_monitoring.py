"""The alerts and the dashboard use metrics that exist, and each alert has a section in docs/OPERATIONS.md."""

import importlib
import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.support.chart import CHART

ALERTS: list[dict[str, Any]] = yaml.safe_load((CHART / "monitoring" / "alerts.yaml").read_text())
BOARD: dict[str, Any] = json.loads((CHART / "monitoring" / "dashboard.json").read_text())
RUNBOOKS = (CHART.parents[1] / "docs" / "OPERATIONS.md").read_text().partition("## Alerts")[2]
QUERIES = {
    **{alert["alert"]: alert["expr"] for alert in ALERTS},
    **{panel["title"]: " ".join(target["expr"] for target in panel["targets"]) for panel in BOARD["panels"]},
}
FOREIGN = {"kube_cronjob_created", "kube_cronjob_status_last_successful_time", "kube_job_status_failed"}
"""Of kube-state-metrics."""


def samples() -> set[str]:
    """The names that Prometheus stores, of every metric of the API and the workers."""
    for module in ("api.app", "workers.main"):
        importlib.import_module(module)
    names = set()
    for metric in REGISTRY.collect():
        if metric.name.startswith("storefleet_"):
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(metric.type, [""])
            names |= {metric.name + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_its_metrics_exist(query: str) -> None:
    used = set(re.findall(r"\b\w+(?=\{)", query))
    assert used
    assert used <= samples() | FOREIGN


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in BOARD["panels"] for target in panel["targets"])
    assert {name for name in samples() if not name.endswith(("_bucket", "_sum", "_count"))} <= set(
        re.findall(r"\w+", shown)
    )


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOKS, re.MULTILINE) == [alert["alert"] for alert in ALERTS]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_is_complete(alert: dict[str, Any]) -> None:
    assert alert.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert alert["expr"].count('namespace="RELEASE_NAMESPACE"') == len(re.findall(r"\w+\{", alert["expr"]))


@pytest.mark.parametrize("panel", BOARD["panels"], ids=lambda panel: panel["title"])
def test_a_panel_is_complete(panel: dict[str, Any]) -> None:
    assert panel["description"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert all('namespace=~"$namespace"' in target["expr"] for target in panel["targets"])
