"""The client imports only the modules of kubernetes_asyncio that it needs."""

import sys

import pytest

from workers.cluster.library import ApiClient, stub_package

UNUSED = ("kubernetes_asyncio.client.api.", "kubernetes_asyncio.client.models.", "kubernetes_asyncio.dynamic")


def test_no_typed_method_and_no_model_is_loaded() -> None:
    assert sys.modules[ApiClient.__module__].__name__ == "kubernetes_asyncio.client.api_client"
    assert [name for name in sys.modules if name.startswith(UNUSED)] == []


def test_a_library_that_isnt_there_says_what_to_do() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no_such_library is missing: run 'make setup'"):
        stub_package("no_such_library")
