"""A reflector as in client-go: lists the objects of one kind, and keeps the list up to date by a watch, in a thread."""

import http.client
import json
import threading
import time
from contextlib import suppress
from typing import Any

from sandbox.kubernetes.control_plane import ControlPlane

RETRY_SECONDS = 0.2
WATCH_SECONDS = 300


class Reflector:
    """A local cache of the objects at one path of the API. `changed` is set after every change."""

    def __init__(self, plane: ControlPlane, path: str, changed: threading.Event) -> None:
        self._plane = plane
        self._path = path
        self._changed = changed
        self._items: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"follow {path}", daemon=True).start()

    def items(self) -> list[dict[str, Any]]:
        """The objects as last seen, in no particular order."""
        with self._lock:
            return list(self._items.values())

    def _run(self) -> None:
        while True:
            # the API server restarted, or the resource version expired: list again
            with suppress(OSError, http.client.HTTPException, ValueError, KeyError):
                self._list_and_watch()
            time.sleep(RETRY_SECONDS)

    def _list_and_watch(self) -> None:
        status, listed = self._plane.call("GET", self._path)
        if status != 200:
            return  # this API isn't served yet
        with self._lock:
            self._items = {item["metadata"]["uid"]: item for item in listed["items"]}
        self._changed.set()
        version = listed["metadata"]["resourceVersion"]
        query = f"watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
        with self._plane.connection(timeout=WATCH_SECONDS + 10) as connection:
            connection.request("GET", f"{self._path}?{query}")
            response = connection.getresponse()
            while line := response.readline():
                self._apply_event(json.loads(line))

    def _apply_event(self, event: dict[str, Any]) -> None:
        """Raises KeyError for an event of type ERROR, such as 410 Gone."""
        item = event["object"]
        uid = item["metadata"]["uid"]
        with self._lock:
            if event["type"] == "DELETED":
                self._items.pop(uid, None)
            else:
                self._items[uid] = item
        self._changed.set()
