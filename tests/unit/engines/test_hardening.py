"""Every rule holds for every object of every engine and plan, and each can be broken."""

import copy
from collections import Counter

import pytest

from runtime.settings import ClusterProfile
from stores.engines import Engine
from stores.plans import PLANS
from tests.unit.engines.rendered import ENGINES, profile, render
from tests.unit.engines.rules import RULES
from tests.unit.engines.ruling import SUBJECTS, Rule

CLUSTERS = {
    "plain": profile(),
    "chosen": profile(ingress_class="traefik", storage_class="fast", store_port=8443, store_scheme="https"),
    "plugins": profile(plugins=tuple(PLANS)),
    "gateway": profile(routing="gateway", gateway_listener="https"),
    "issuer": profile(store_scheme="https", cluster_issuer="letsencrypt"),
    "wildcard": profile(store_scheme="https", wildcard_certificate="edge/wildcard"),
}


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_every_rule_holds(engine: Engine, plan: str, cluster: ClusterProfile) -> None:
    made = render(engine, cluster, plan=plan)
    broken = [
        f"{rule.of}: {rule.name}: {subject}"
        for rule in RULES
        for subject in SUBJECTS[rule.of](made)
        if not rule.holds(subject)
    ]
    assert broken == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.of}: {rule.name}".replace(" ", "-"))
def test_a_rule_can_be_broken(rule: Rule) -> None:
    subjects = list(SUBJECTS[rule.of](render()))
    assert subjects, "no object has such a part, so the rule says nothing"
    assert rule.broken, "nothing breaks the rule"
    for number, change in enumerate(rule.broken):
        bad = copy.deepcopy(subjects[0])
        change(bad)
        assert bad != subjects[0], f"change {number} changes nothing"
        assert not rule.holds(bad), f"change {number} goes unnoticed"


def test_each_rule_is_written_once() -> None:
    assert [name for name, times in Counter((rule.of, rule.name) for rule in RULES).items() if times > 1] == []
