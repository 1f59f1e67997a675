"""What the helpers of a node know of the cluster: a list of each kind, kept up to date by a watch in a thread."""

import http.client
import json
import threading
import time
from contextlib import suppress
from typing import Any

from sandbox.kubernetes.control_plane import ControlPlane

RETRY_SECONDS = 0.2
WATCH_SECONDS = 300


class Following:
    """The objects at a path of the API, by UID. `changed` is set whenever they are others."""

    def __init__(self, plane: ControlPlane, path: str, changed: threading.Event) -> None:
        self._plane = plane
        self._path = path
        self._changed = changed
        self._items: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._follow_for_ever, name=f"follow {path}", daemon=True).start()

    def items(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._items.values())

    def _follow_for_ever(self) -> None:
        while True:
            # the API server restarts, or has forgotten our version: list again
            with suppress(OSError, http.client.HTTPException, ValueError, KeyError):
                self._follow()
            time.sleep(RETRY_SECONDS)

    def _follow(self) -> None:
        status, found = self._plane.call("GET", self._path)
        if status != 200:
            return  # not served yet
        with self._lock:
            self._items = {item["metadata"]["uid"]: item for item in found["items"]}
        self._changed.set()
        version = found["metadata"]["resourceVersion"]
        query = f"watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
        with self._plane.connection(timeout=WATCH_SECONDS + 10) as connection:
            connection.request("GET", f"{self._path}?{query}")
            answer = connection.getresponse()
            while line := answer.readline():
                self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        """Raises KeyError for an error, such as 410."""
        item = event["object"]
        uid = item["metadata"]["uid"]
        with self._lock:
            if event["type"] == "DELETED":
                self._items.pop(uid, None)
            else:
                self._items[uid] = item
        self._changed.set()
