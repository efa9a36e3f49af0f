"""Every object against the schemas of Kubernetes, and of the kinds that other projects add."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.kubernetes.manifests import OVERLAYS, Object, render

# From the first whose schema knows sidecars and starts them unasked.
VERSIONS = ("1.29", "1.33", "1.37")
OTHERS = {"JobSet", "LeaderWorkerSet"}


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid_without_an_unknown_field(version):
    everything = (thing for overlay in OVERLAYS for thing in render(overlay))
    # Most are the same in every overlay, and a check takes tenths of a second.
    different = {json.dumps(thing): thing for thing in everything if thing["kind"] not in OTHERS}
    for thing in different.values():
        kubernetes_validate.validate(thing, version, strict=True)


def test_a_misspelt_field_is_found():
    """What the test above would say, were there one."""
    (policy, *_) = [o for o in render("cpu") if o["kind"] == "NetworkPolicy"]
    with pytest.raises(kubernetes_validate.ValidationError, match="podSelectr"):
        kubernetes_validate.validate(
            policy | {"spec": policy["spec"] | {"podSelectr": {}}}, VERSIONS[-1], strict=True
        )


def test_job_sets_and_groups_are_valid_by_their_own_projects_schemas():
    schemas = _custom_schemas()
    checked = set()
    for thing in render("multi-node"):
        if thing["kind"] in OTHERS:
            schema = schemas[thing["kind"], thing["apiVersion"]]
            complaints = jsonschema.Draft202012Validator(schema).iter_errors(thing)
            assert [f"{c.json_path}: {c.message}" for c in complaints] == []
            checked.add(thing["kind"])
    assert checked == OTHERS


def test_no_name_is_used_twice():
    for overlay in OVERLAYS:
        names = [(o["kind"], o["metadata"]["name"]) for o in render(overlay)]
        assert len(names) == len(set(names))


def test_what_pods_refer_to_exists():
    for overlay in OVERLAYS:
        made = {o["metadata"]["name"] for o in render(overlay) if o["kind"] == "ConfigMap"}
        assert _references(render(overlay)) == made


def _references(value: Any) -> set[str]:
    """Names of the ConfigMaps that something takes its environment from."""
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["configMapRef"]["name"]} if "configMapRef" in value else set()
    return own.union(*map(_references, value.values()))


def _custom_schemas() -> dict[tuple[str, str], Object]:
    """By kind and version, from the CustomResourceDefinitions in the folder RSTAR_TEST_CRDS."""
    folder = os.environ.get("RSTAR_TEST_CRDS")
    if not folder:
        pytest.skip("RSTAR_TEST_CRDS names no folder with the definitions of LWS and JobSet")
    found = {}
    for file in Path(folder).glob("*.yaml"):
        for thing in yaml.load_all(file.read_text(), yaml.CSafeLoader):
            if thing and thing["kind"] == "CustomResourceDefinition":
                for version in thing["spec"]["versions"]:
                    name = f"{thing['spec']['group']}/{version['name']}"
                    schema = version["schema"]["openAPIV3Schema"]
                    found[thing["spec"]["names"]["kind"], name] = _closed(schema)
    return found


def _closed(schema: Any) -> Any:
    """The same without what OpenAPI adds to JSON Schema, refusing fields that it does not name."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    if closed.pop("x-kubernetes-int-or-string", False):
        closed["type"] = ["integer", "string"]
    named = closed.get("type") == "object" and "properties" in closed
    if named and not closed.get("x-kubernetes-preserve-unknown-fields"):
        # The definitions leave the standard's own fields of an object open.
        closed.setdefault("additionalProperties", False)
    return closed
