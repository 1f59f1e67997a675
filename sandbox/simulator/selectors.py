"""Label and field selectors, compiled once per request."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.simulator.errors import bad_request
from sandbox.simulator.kinds import Kind, Manifest

Fields = dict[str, str]


@dataclass(slots=True)
class SelectableAttributes:
    """The labels and fields of an object that selectors can match."""

    labels: Fields
    fields: Fields


Selector = Callable[[SelectableAttributes], bool]

REQUIREMENT = re.compile(
    r"\s*(?:(?P<not>!)\s*(?P<absent>[^\s=!,()]+)"
    r"|(?P<key>[^\s=!,()]+)\s*(?:(?P<in>in|notin)\s*\((?P<values>[^()]*)\)|(?P<op>==|=|!=)\s*(?P<value>[^\s=!,()]*))?)"
    r"\s*(?:,|$)"
)


def selectable_attributes(kind: Kind, manifest: Manifest) -> SelectableAttributes:
    """The labels and fields of this object that selectors can match."""
    metadata = manifest["metadata"]
    fields = {"metadata.name": metadata["name"], "metadata.namespace": metadata.get("namespace", "")}
    for path in kind.selectable_fields:
        value: Any = manifest
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        fields[path] = "" if value is None else str(value)
    return SelectableAttributes(metadata.get("labels") or {}, fields)


def compile_selector(kind: Kind, labels: str, fields: str) -> Selector | None:
    """One predicate for both selectors; None when both are empty. Raises ApiError 400 for a malformed selector."""
    tests = [*_label_tests(labels), *_field_tests(kind, fields)]
    if not tests:
        return None
    return lambda attributes: all(test(attributes) for test in tests)


def _label_tests(text: str) -> list[Selector]:
    tests, position = [], 0
    while position < len(text):
        found = REQUIREMENT.match(text, position)
        if found is None or found.end() == position:
            raise bad_request(f"unable to parse requirement: {text!r}")
        tests.append(_label_test(found))
        position = found.end()
    return tests


def _label_test(found: re.Match[str]) -> Selector:
    key = found["key"]
    if found["not"]:
        absent = found["absent"]
        return lambda attributes: absent not in attributes.labels
    if found["in"]:
        values = {value.strip() for value in found["values"].split(",")}
        if found["in"] == "in":
            return lambda attributes: attributes.labels.get(key) in values
        return lambda attributes: attributes.labels.get(key) not in values
    value = found["value"]
    if found["op"] == "!=":
        return lambda attributes: attributes.labels.get(key) != value
    if found["op"]:
        return lambda attributes: attributes.labels.get(key) == value
    return lambda attributes: key in attributes.labels


def _field_tests(kind: Kind, text: str) -> list[Selector]:
    tests: list[Selector] = []
    for term in filter(None, text.split(",")):
        field, operator, value = re.split(r"(!=|==|=)", term, maxsplit=1) if "=" in term else (term, "", "")
        if not operator or field not in ("metadata.name", "metadata.namespace", *kind.selectable_fields):
            raise bad_request(
                f'Unable to find "{kind.api_version}, Resource={kind.plural}" that match '
                f'field selector "{text}": field label not supported: {field}'
            )
        tests.append(_field_test(field, value, equal=operator != "!="))
    return tests


def _field_test(field: str, value: str, *, equal: bool) -> Selector:
    return lambda attributes: (attributes.fields[field] == value) is equal
