"""The chart's values: the schema and the README are current, the schema refuses misspelt names, and settings agree."""

import os
import re
from functools import cache, reduce
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runtime.settings import ClusterProfile, Settings
from tests.support.chart import (
    CHART,
    SCENARIOS,
    camel_case,
    descriptions,
    paths,
    readme_text,
    schema_text,
    values,
    values_schema,
)

UPDATE = "UPDATE_CHART" in os.environ


@pytest.mark.parametrize(("file", "made"), [("values.schema.json", schema_text), ("README.md", readme_text)])
def test_what_is_made_from_the_values_is_current(file: str, made: Any) -> None:
    """To write it: UPDATE_CHART=1 .venv/bin/python -m pytest tests/unit/chart."""
    if UPDATE:
        (CHART / file).write_text(made())
    assert (CHART / file).read_text() == made()


def test_only_values_are_described() -> None:
    assert descriptions().keys() <= {path for path, _ in paths()}


@cache
def validator() -> jsonschema.Draft7Validator:
    """Made once: the schema itself is checked, too, which takes longer than checking values."""
    schema = values_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def merged(files: list[Path]) -> dict[str, Any]:
    return reduce(merge, (yaml.safe_load(file.read_text()) for file in files), values())


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """As Helm merges values files."""
    both = {name: merge(one[name], other[name]) for name in one.keys() & other.keys() if isinstance(one[name], dict)}
    return {**one, **other, **both}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_schema_accepts_every_scenario(scenario: str) -> None:
    validator().validate(merged(SCENARIOS[scenario]))


@pytest.mark.parametrize("path", [path for path, _ in paths()])
def test_the_schema_refuses_misspelt_names(path: str) -> None:
    bad = values()
    *parents, name = path.split(".")
    section = reduce(lambda item, key: item[key], parents, bad)
    section[f"{name}s"] = section.pop(name)
    with pytest.raises(jsonschema.ValidationError, match=f"'{name}s' was unexpected"):
        validator().validate(bad)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("settings.failurePatience", -1),
        ("settings.signUp", "opne"),
        ("settings.languages", "en-US"),
        ("settings.databaseUrl", "postgresql://"),
        ("settings.metricsPort", 1),
        ("settings.baseDomain", 1),
        ("api.replicas", 0),
        ("api.replicas", "2"),
        ("image.digest", "sha256:1"),
        ("image.pullPolicy", "Sometimes"),
        ("service.type", "ExternalName"),
        ("api.podAnnotations", {"upgrade": 1}),
        ("networkPolicy.databasePorts", []),
        ("networkPolicy.apiServer.cidrs", []),
    ],
)
def test_the_schema_refuses_bad_values(path: str, value: object) -> None:
    bad = values()
    *parents, name = path.split(".")
    reduce(lambda item, key: item[key], parents, bad)[name] = value
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(bad)


def test_the_default_settings_are_those_of_the_processes() -> None:
    """Settings for images must be among them: the admission policy allows the images that values.yaml names."""
    fields = {
        camel_case(name): field for name, field in {**Settings.model_fields, **ClusterProfile.model_fields}.items()
    }
    for name, default in values()["settings"].items():
        assert default == (fields[name].default or ""), name
    assert {name for name in fields if name.endswith("Image")} <= values()["settings"].keys()


def test_versions_agree() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "(.*)"$', (CHART.parents[1] / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None
    assert chart["appVersion"] == project[1]
