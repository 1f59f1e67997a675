"""Merging a patch into an object: server-side apply, strategic merge patch and JSON merge patch."""

from typing import Any

from sandbox.simulator.kinds import Manifest

MERGE_KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("containers", "initContainers", "env", "volumes", "imagePullSecrets"), ("name",)),
    "volumeMounts": ("mountPath",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "ports": ("port", "protocol"),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "secrets": ("name",),
}
"""Lists whose items have merge keys; other lists are atomic. (The ports of a NetworkPolicy are in an atomic list.)"""
SET_LISTS = {"finalizers"}


def json_merge(live: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = json_merge(merged.get(name), value)
    return merged


def strategic_merge(live: Any, patch: Any, field: str = "") -> Any:
    """Strategic merge patch: as `json_merge`, but list items with merge keys are merged one by one."""
    if isinstance(patch, dict):
        if patch.get("$patch") == "replace":
            return {name: value for name, value in patch.items() if name != "$patch"}
        merged = dict(live) if isinstance(live, dict) else {}
        for name, value in patch.items():
            if name.startswith("$"):
                continue  # directives about order: the order doesn't matter here
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = strategic_merge(merged.get(name), value, name)
        return merged
    if isinstance(patch, list) and isinstance(live, list):
        if field in SET_LISTS:
            return [*live, *(item for item in patch if item not in live)]
        if keys := merge_keys(field, patch):
            items = {_item_key(item, keys): item for item in live}
            for change in patch:
                identity = _item_key(change, keys)
                if change.get("$patch") == "delete":
                    items.pop(identity, None)
                else:
                    items[identity] = strategic_merge(items.get(identity), change)
            return list(items.values())
    return patch


def server_side_apply(last: Any, wanted: Any, live: Any, field: str = "") -> Any:
    """Server-side apply by one field manager: set `wanted`, remove what is in `last` but no longer in `wanted`."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        last = last if isinstance(last, dict) else {}
        merged = dict(live)
        for name in last.keys() - wanted.keys() & live.keys():
            rest = _remove_applied(last[name], live[name], name)
            if rest is None:
                del merged[name]
            else:
                merged[name] = rest
        for name, value in wanted.items():
            merged[name] = server_side_apply(last.get(name), value, live[name], name) if name in live else value
        return merged
    if isinstance(wanted, list) and isinstance(live, list):
        last = last if isinstance(last, list) else []
        if field in SET_LISTS:
            return [*wanted, *(item for item in live if item not in wanted and item not in last)]
        if keys := merge_keys(field, wanted or last):
            known = {_item_key(item, keys): item for item in live}
            before = {_item_key(item, keys): item for item in last}
            asked = {_item_key(item, keys): item for item in wanted}
            items = [
                server_side_apply(before.get(identity), item, known[identity]) if identity in known else item
                for identity, item in asked.items()
            ]
            return items + [item for identity, item in known.items() if identity not in {**asked, **before}]
    return wanted


def conflicts(mine: Any, others: Any, field: str = "", path: str = "") -> list[str]:
    """The paths at which two field managers apply different values."""
    if isinstance(mine, dict) and isinstance(others, dict):
        return [
            found
            for name in mine.keys() & others.keys()
            for found in conflicts(mine[name], others[name], name, f"{path}.{name}")
        ]
    if isinstance(mine, list) and isinstance(others, list) and (keys := merge_keys(field, mine)):
        theirs = {_item_key(item, keys): item for item in others}
        found = []
        for item in mine:
            identity = _item_key(item, keys)
            if identity in theirs:
                found += conflicts(item, theirs[identity], "", f"{path}[{identity[0]}]")
        return found
    return [] if mine == others or field in SET_LISTS else [path]


def merge_keys(field: str, items: list[Any]) -> tuple[str, ...] | None:
    """The merge keys of that list; None for an atomic list."""
    keys = MERGE_KEYS.get(field)
    if keys and items and all(isinstance(item, dict) for item in items):
        return ("containerPort", "protocol") if field == "ports" and "containerPort" in items[0] else keys
    return None


def _item_key(item: Manifest, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key, "TCP" if key == "protocol" else None) for key in keys)


def _remove_applied(last: Any, live: Any, field: str) -> Any:
    """`live` without the fields of `last`; None when nothing remains."""
    if isinstance(last, dict) and isinstance(live, dict):
        rest = {name: value for name, value in live.items() if name not in last}
        for name in last.keys() & live.keys():
            if (kept := _remove_applied(last[name], live[name], name)) is not None:
                rest[name] = kept
        return rest or None
    if isinstance(last, list) and isinstance(live, list):
        if field in SET_LISTS:
            return [item for item in live if item not in last] or None
        if keys := merge_keys(field, last):
            gone = {_item_key(item, keys) for item in last}
            return [item for item in live if _item_key(item, keys) not in gone] or None
    return None
