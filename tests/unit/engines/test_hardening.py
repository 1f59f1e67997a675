"""Every rule holds for every object of every engine and plan, and each rule can fail."""

import copy
from collections import Counter

import pytest

from runtime.settings import ClusterProfile
from stores.engines import Engine
from stores.plans import PLANS
from tests.support.manifest_rules import RULES
from tests.support.rendered import ENGINES, profile, render
from tests.support.rule_builders import SUBJECTS, Rule

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
    manifests = render(engine, cluster, plan=plan)
    broken = [
        f"{rule.subject_type}: {rule.name}: {subject}"
        for rule in RULES
        for subject in SUBJECTS[rule.subject_type](manifests)
        if not rule.holds(subject)
    ]
    assert broken == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.subject_type}: {rule.name}".replace(" ", "-"))
def test_a_rule_can_be_broken(rule: Rule) -> None:
    subjects = list(SUBJECTS[rule.subject_type](render()))
    assert subjects, "the rule has no subject"
    assert rule.breaking_changes, "the rule has no breaking change"
    for number, change in enumerate(rule.breaking_changes):
        bad = copy.deepcopy(subjects[0])
        change(bad)
        assert bad != subjects[0], f"change {number} changes nothing"
        assert not rule.holds(bad), f"change {number} goes unnoticed"


def test_each_rule_is_written_once() -> None:
    assert [
        name for name, times in Counter((rule.subject_type, rule.name) for rule in RULES).items() if times > 1
    ] == []
