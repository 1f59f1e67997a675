"""The part of the Kubernetes client library that we need: how to find an API server, and how to call it.

Importing one of its packages imports hundreds of modules of typed methods and models: 0.2 s of CPU and 39 MB in every
process, instead of 0.04 s and 4 MB. So its packages are only made known here, without what their `__init__` runs.
"""

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType


def hollow(name: str) -> ModuleType:
    """A package from which modules can be imported, without what importing it would run. As it is if that is done."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"the Python package {name} is missing: run 'make setup'", name=name)
    return sys.modules.setdefault(name, module_from_spec(spec))


hollow("kubernetes_asyncio")
_client = hollow("kubernetes_asyncio.client")
hollow("kubernetes_asyncio.client.models")

from kubernetes_asyncio.client.api_client import ApiClient  # noqa: E402  # after its packages are made known
from kubernetes_asyncio.client.configuration import Configuration  # noqa: E402  # the same

vars(_client).update(ApiClient=ApiClient, Configuration=Configuration)  # which its `config` takes from there

from kubernetes_asyncio.config import load_incluster_config, load_kube_config  # noqa: E402  # the same

__all__ = ["ApiClient", "Configuration", "load_incluster_config", "load_kube_config"]
