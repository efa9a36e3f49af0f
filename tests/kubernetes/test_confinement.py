"""Every pod against Pod Security's `restricted` standard, which the namespace demands."""

from collections.abc import Iterator

import pytest

from tests.kubernetes.manifests import OVERLAYS, Object, all_containers, pod_templates, render

VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}  # of those allowed, ours


def objections(pod: Object) -> Iterator[str]:
    """What the standard refuses in a pod; https://kubernetes.io/docs/concepts/security/."""
    spec, context = pod["spec"], pod["spec"].get("securityContext", {})
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))
    yield from (str(v) for v in spec.get("volumes", ()) if not VOLUMES & v.keys())
    if context.get("runAsNonRoot") is not True or context.get("runAsUser") in (None, 0):
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{container['name']} may gain privileges"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{container['name']} has capabilities"
        if {"privileged", "runAsUser", "seccompProfile", "procMount"} & own.keys():
            yield f"{container['name']} leaves the pod's confinement"
        yield from (f"host port {p}" for p in container.get("ports", ()) if "hostPort" in p)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_pod_is_refused_by_the_restricted_standard(overlay):
    pods = [pod for owner in render(overlay) for pod in pod_templates(owner)]
    assert pods
    assert [list(objections(pod)) for pod in pods] == [[]] * len(pods)


def test_the_namespace_demands_the_standard():
    (namespace,) = [o for o in render("cpu") if o["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_pod_that_makes_keys_has_a_token_for_the_api_server(overlay):
    holders = {
        container.owner["metadata"]["name"]
        for container in all_containers(overlay)
        if container.pod["spec"].get("automountServiceAccountToken", True)
    }
    assert holders == {"keys"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_we_wrote_cannot_change_its_own_image(overlay):
    for container in all_containers(overlay):
        if container.spec["image"].startswith("rstar-async:"):
            assert container.spec["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_belongs_to_the_system(overlay):
    """Policies and Prometheus select by these labels."""
    for owner in render(overlay):
        for pod in pod_templates(owner):
            assert pod["metadata"]["labels"]["app.kubernetes.io/part-of"] == "rstar"
