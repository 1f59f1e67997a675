"""The smallest engine: a web server with one page, and a proof Job. The example of tests and docs/ENGINES.md."""

import secrets as random
from collections.abc import Mapping

from runtime.settings import ClusterProfile
from stores.engines import Engine, EngineStep, Manifest, Manifests, SecretField, StoreSpec
from workers.engines import objects
from workers.engines.isolation import Component, isolation, namespace
from workers.engines.pods import Resources, container, env, parse_cpu, parse_memory, pod, probe

NAME = "toy"
IMAGE = "python:3.14-alpine"
PROVE = """
import json, os, time, urllib.request
began = time.monotonic()
with urllib.request.urlopen(os.environ["STORE_SERVICE"], timeout=10) as answer:
    assert os.environ["STORE_TITLE"] in answer.read().decode()
ms = round((time.monotonic() - began) * 1000)
receipt = {"simulated": False, "totalMs": ms, "steps": [{"name": "page", "ms": ms}]}
with open("/dev/termination-log", "w") as file:
    json.dump(receipt, file)
"""
SERVE = """
import http.server, os, signal, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["STORE_TITLE"].encode())
server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Page)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # a container's first process ignores it by default
print("listening on", server.server_port, flush=True)
server.serve_forever()
"""


def render(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    """A Deployment with a Service and a route, and a proof Job. No volume, no database, no install Job."""
    size = Resources(parse_cpu(spec.plan.web_cpu), parse_memory(spec.plan.web_memory))
    web = Component("web", size, port=8080, clients=("proof",), public=True)
    proof = Component("proof", Resources(cpu=200, memory=64))
    return Manifests(
        namespace=namespace(spec, NAME, profile),
        isolation=isolation(spec, NAME, profile, [web, proof]),
        resources=[
            objects.secret(spec, NAME, "admin", {"password": secrets["admin-password"]}),
            objects.service(spec, NAME, "web", 80),
            objects.deployment(spec, NAME, "web", _web(spec, web)),
            objects.route(spec, NAME, profile, "web", 80),
        ],
        install=None,
        proof=objects.job(spec, NAME, "proof", _proof(spec, proof), seconds=60, retries=1),
    )


def _web(spec: StoreSpec, component: Component) -> Manifest:
    check = {"httpGet": {"path": "/", "port": "main"}}
    web = container(
        component.name,
        IMAGE,
        component.resources,
        command=["python", "-c", SERVE],
        env=env({"STORE_TITLE": spec.name, "PORT": "8080"}, {"ADMIN_PASSWORD": ("admin", "password")}),
        mounts={},
        port=component.port,
        probes={
            "startupProbe": probe(check, period=1, failures=30),
            "readinessProbe": probe(check, period=2, failures=3),
            "livenessProbe": probe(check, period=10, failures=3),
        },
        pre_stop=["sleep", "3"],
        public=True,
    )
    return pod(spec, NAME, component.name, [web])


def _proof(spec: StoreSpec, component: Component) -> Manifest:
    values = {"STORE_SERVICE": "http://web", "STORE_TITLE": spec.name}
    proof = container(
        component.name, IMAGE, component.resources, command=["python", "-c", PROVE], env=env(values, {}), mounts={}
    )
    return pod(spec, NAME, component.name, [proof], restart="Never")


ENGINE = Engine(
    name=NAME,
    title="A toy",
    releases=("1",),
    steps=(EngineStep("web", "Opening the shop", "Deployment", "web"),),
    secrets=(SecretField("admin-password", lambda: random.token_urlsafe(24), revealable=True),),
    components=("web", "proof"),
    essential=("web",),
    render=render,
)
