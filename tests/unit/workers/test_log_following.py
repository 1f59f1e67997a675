"""From a kubelet's responses to the items that a subscriber gets, for responses that only a real kubelet sends."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, cast

import pytest

from stores.engines import Manifest
from stores.log_protocol import LogItem
from tests.support.waiting import HANG_SECONDS
from workers.cluster.client import Cluster
from workers.cluster.errors import ClusterError, NotFound, RequestRejected, TransientError
from workers.logs import follower as follower_module
from workers.logs.buffer import Buffer
from workers.logs.follower import LogFollower
from workers.logs.lines import SecretMasker
from workers.logs.pods import PodWatcher
from workers.logs.source import ContainerLog

AT = "2026-11-24T08:27:59."


class Kubelet:
    """Answers each request for a log with the next of `answers`: text, an error, or both. Then it sends nothing."""

    def __init__(self, *answers: str | ClusterError | tuple[str, ClusterError]) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, str]] = []
        self.before_last: Callable[[], None] = lambda: None
        """Called before the last answer."""
        self.idle, self.closed = asyncio.Event(), asyncio.Event()

    async def logs(
        self, namespace: str, pod: str, query: Mapping[str, str], *, follow: bool
    ) -> AsyncGenerator[bytes, None]:
        self.asked.append({**query, "follow": str(follow)})
        if not self.answers:
            self.idle.set()
            await self.closed.wait()
            return
        if len(self.answers) == 1:
            self.before_last()
        answer = self.answers.pop(0)
        text, error = answer if isinstance(answer, tuple) else (answer, None)
        if isinstance(text, ClusterError):
            raise text
        yield text.encode()
        if error is not None:
            raise error


def pod(*, code: int | None = None, reason: str = "") -> Manifest:
    """A pod whose container runs, terminated with a `code`, or waits for a `reason`."""
    state: dict[str, Any] = {"running": {"startedAt": "2026-11-24T08:00:00Z"}}
    if code is not None:
        state = {"terminated": {"exitCode": code, "containerID": "c://1"}}
    if reason:
        state = {"waiting": {"reason": reason}}
    row = {"name": "web", "containerID": "c://1", "state": state}
    return {"metadata": {"uid": "uid", "name": "web-1"}, "status": {"containerStatuses": [row]}}


class IdlePodWatcher(PodWatcher):
    """Tells the kubelet that the follower is idle: it waits for another state of the pod, without asking again."""

    kubelet: Kubelet

    async def wait_for_change(self, seconds: float | None = None) -> None:
        if seconds is None:
            self.kubelet.idle.set()
        await super().wait_for_change(seconds)


async def load_masker() -> SecretMasker:
    return SecretMasker(["hunter22"])


async def follow(kubelet: Kubelet, first: Manifest, *, last: Manifest | None = None) -> list[LogItem]:
    """The items of a follower. `last`: the pod's state from the last answer on; after it the pod is deleted."""
    pods, buffer = IdlePodWatcher(cast(Cluster, kubelet), "store-x", "web"), Buffer()
    pods.kubelet = kubelet
    pods._on_event("ADDED", first)
    if last is not None:
        kubelet.before_last = lambda: pods._on_event("MODIFIED", last)
    follower = LogFollower(cast(Cluster, kubelet), pods, buffer, load_masker)
    task = asyncio.create_task(follower.follow(ContainerLog("uid", "web-1", "web")))
    idle = asyncio.create_task(kubelet.idle.wait())
    await asyncio.wait({task, idle}, timeout=HANG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    pods._on_event("DELETED", first)
    kubelet.closed.set()
    kubelet.idle.set()
    await asyncio.gather(asyncio.wait_for(task, HANG_SECONDS), idle)
    assert kubelet.answers == []
    return buffer.take()[0]


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "BACKOFF_SECONDS", (0.001, 0.002))


async def test_the_nodes_own_words_are_a_notice() -> None:
    words = "failed to watch hunter22: no space left on device\n"
    items = await follow(Kubelet(f"{AT}1Z one\n{words}", words, words), pod())
    assert [(item.kind, item.text) for item in items] == [
        ("LINE", "one"),
        ("NOTICE", "The node says: failed to watch [masked]: no space left on device"),
    ]


async def test_lines_of_one_moment_come_once_each() -> None:
    broken = TransientError("broken")
    kubelet = Kubelet(
        (f"{AT}1Z one\n{AT}1Z two\n", broken),
        (f"{AT}1Z one\n{AT}1Z two\n{AT}1Z three\n{AT}", broken),
        f"{AT}0Z zero\n{AT}1Z one\n{AT}1Z two\n{AT}1Z three\n{AT}2Z four\n",
        f"{AT}2Z four\n",
    )
    items = await follow(kubelet, pod(), last=pod(code=0))
    assert [item.text for item in items] == ["one", "two", "three", "four"]
    assert [query.get("sinceTime") for query in kubelet.asked] == [None, *["2026-11-24T08:27:59Z"] * 4]


@pytest.mark.parametrize("error", [NotFound("gone", 404), RequestRejected("no longer there", 400)])
async def test_a_log_that_was_removed_is_not_waited_for(error: ClusterError) -> None:
    kubelet = Kubelet(error)
    assert await follow(kubelet, pod(code=1)) == []
    assert len(kubelet.asked) == 1


async def test_a_log_that_isnt_there_yet_is_asked_for_again() -> None:
    kubelet = Kubelet(RequestRejected("waiting to start", 400), f"{AT}1Z one\n", f"{AT}1Z one\n")
    items = await follow(kubelet, pod(), last=pod(code=0))
    assert [item.text for item in items] == ["The log of the pod web-1 can't be read now. Asking again.", "one"]


async def test_who_waits_says_for_what() -> None:
    items = await follow(Kubelet(), pod(reason="ImagePullBackOff"))
    assert [item.text for item in items] == ["The container web of the pod web-1 waits to start: ImagePullBackOff."]


async def test_a_flood_leaves_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "YIELD_BYTES", 1000)
    monkeypatch.setattr(follower_module, "YIELD_SECONDS", 0.001)
    lines = "".join(f"{AT}{number:09}Z {'x' * 50}\n" for number in range(1500))
    kubelet = Kubelet(lines)
    items = await follow(kubelet, pod(code=0))
    assert {item.text for item in items} == {"x" * 50}
