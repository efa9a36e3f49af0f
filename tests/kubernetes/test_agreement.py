"""docker-compose.yml and the manifests describe one system; where they differ, this says why."""

import subprocess
from pathlib import Path

import pytest

from tests.kubernetes import compose
from tests.kubernetes.manifests import (
    Container,
    all_containers,
    containers,
    networks,
    pod_templates,
    render,
    settings,
)

# Overlay: the profile of compose that it is.
PROFILES = {"cpu": "cpu", "gpu": "gpu", "multi-node": "gpu"}
# With GPUs the database is the operator's own; both trainers of compose have one name.
ABSENT = {"cpu": set(), "gpu": {"db"}, "multi-node": {"db"}}
RENAMED = {"trainer-gpu": "trainer"}
# Over several machines these are started by torchrun or as a group.
OTHER_COMMAND = {"multi-node": {"trainer-gpu", "policy"}}
# A server and its bridge are in one pod: their network is that pod's own.
INSIDE_A_POD = {"policy", "ppm"}
# These are in the pod of another service, which is a member of that one's networks.
POD_OF = {"migrate": "coordinator", "policy": "inference-bridge", "ppm": "reward-bridge"}
# The page is reached by `kubectl port-forward`, which needs no network.
NO_NETWORK = {"page"}
VALUES = {
    "RSTAR_RECIPE": "recipes/a.toml",
    "RSTAR_RUN": "a-run",
    "RSTAR_MODEL": "some/model",
    "RSTAR_SETTINGS": "--search.rollouts=3 --problems.limit=4",
    "TRAINER_THREADS": "5",
    "EXECUTOR_SLOTS": "6",
    "MODEL_ROWS": "7",
    "MODEL_CACHE_MIB": "8",
    "MODEL_THREADS": "9",
    "VIEW_PORT": "8700",
    "POLICY_MEMORY": "0.1",
    "PPM_MEMORY": "0.2",
    "POLICY_ARGUMENTS": "--tp 2",
    "PPM_ARGUMENTS": "--dtype half",
    "DATABASE_URL": "postgresql://rstar@db/rstar",
}
OPTIONAL = ("RSTAR_MODEL", "RSTAR_SETTINGS", "TRAINER_THREADS", "POLICY_ARGUMENTS", "PPM_ARGUMENTS")

pairs = pytest.mark.parametrize(
    ("overlay", "service"),
    [
        (overlay, service)
        for overlay, profile in PROFILES.items()
        for service in compose.services(profile)
        if service not in ABSENT[overlay]
    ],
)


def counterpart(overlay: str, service: str) -> Container:
    return containers(overlay)[RENAMED.get(service, service)]


@pytest.mark.parametrize("overlay", PROFILES)
def test_the_services_are_the_same(overlay):
    services = set(compose.services(PROFILES[overlay])) - ABSENT[overlay]
    assert {RENAMED.get(name, name) for name in services} == set(containers(overlay))


@pairs
def test_the_images_are_the_same(overlay, service):
    image = compose.image(compose.COMPOSE["services"][service])
    assert counterpart(overlay, service).spec["image"] == image


@pytest.mark.parametrize("without", [(), OPTIONAL], ids=["every setting", "only the needed"])
@pairs
def test_the_commands_are_the_same(overlay, service, without, tmp_path):
    described = compose.COMPOSE["services"][service]
    if "command" not in described or service in OTHER_COMMAND.get(overlay, ()):
        return
    values = VALUES | dict.fromkeys(without, "")
    expected = compose.words(described, values)
    found = _words(counterpart(overlay, service).spec["command"], values, tmp_path)
    assert [_placed(word) for word in found] == [_placed(word) for word in expected]


@pairs
def test_the_networks_are_the_same(overlay, service):
    of_its_pod = compose.COMPOSE["services"][POD_OF.get(service, service)]
    expected = set(of_its_pod.get("networks", ())) - INSIDE_A_POD - NO_NETWORK
    found = networks(counterpart(overlay, service).pod) - {"api"}
    if overlay == "multi-node":  # ranks of one server or of one training
        found -= {"policy", "training"}
    assert found == expected


@pytest.mark.parametrize("overlay", PROFILES)
def test_a_network_lets_its_members_reach_each_other_and_nothing_else(overlay):
    policies = {
        policy["metadata"]["name"]: policy["spec"]
        for policy in render(overlay)
        if policy["kind"] == "NetworkPolicy"
    }
    assert policies["nothing-else"]["podSelector"] == {}
    assert set(policies["nothing-else"]["policyTypes"]) == {"Ingress", "Egress"}
    internal = {name for name, net in compose.COMPOSE["networks"].items() if net.get("internal")}
    for name in internal - {"watch"}:  # of Prometheus and Grafana, which are not ours to deploy
        members = [{"podSelector": {"matchLabels": {f"network.rstar/{name}": "member"}}}]
        spec = policies[f"network-{name}"]
        assert spec["podSelector"] == members[0]["podSelector"]
        assert spec["ingress"] == [{"from": members}]
        assert spec["egress"] == [{"to": members}]


@pytest.mark.parametrize("overlay", PROFILES)
def test_an_executors_pod_is_a_member_of_its_pools_network_only(overlay):
    executor = containers(overlay)["executor"]
    assert networks(executor.pod) == {"executor"}
    assert executor.pod["spec"]["automountServiceAccountToken"] is False


@pairs
def test_the_limits_are_the_same(overlay, service):
    described = compose.COMPOSE["services"][service]
    container = counterpart(overlay, service)
    if "mem_limit" in described:
        limit = compose.interpolated(described["mem_limit"], {}).replace("g", "Gi")
        assert container.spec["resources"]["limits"]["memory"] == limit
    if "deploy" in described:
        assert int(container.spec["resources"]["limits"]["nvidia.com/gpu"]) >= 1
    if container.name != "keys" and (size := compose.size_of_tmp(described)):
        assert _volume(container, "/tmp")["emptyDir"] == {"medium": "Memory", "sizeLimit": size}
    grace = int(described.get("stop_grace_period", "0s").removesuffix("s"))
    assert container.pod["spec"].get("terminationGracePeriodSeconds", 30) >= grace


@pairs
def test_keys_and_folders_are_mounted_at_the_same_places(overlay, service):
    if service in ("keys", "migrate", "db"):
        return  # of another shape: a folder of all keys; the recipe's own files; a claim of its own
    container = counterpart(overlay, service)
    for name, (target, read_only) in compose.mounts(compose.COMPOSE["services"][service]).items():
        (mount,) = [m for m in container.spec["volumeMounts"] if m["mountPath"] == target]
        assert mount.get("readOnly", False) is read_only
        if name.startswith("keys-"):
            assert name in _secrets_placed(container, target)
        else:
            assert mount["subPath"] == name


@pairs
def test_a_heartbeat_is_asked_for_in_the_same_way(overlay, service):
    health = compose.COMPOSE["services"][service].get("healthcheck", {}).get("test", ())
    if "heartbeat" not in str(health) or service in OTHER_COMMAND.get(overlay, ()):
        return
    probe = counterpart(overlay, service).spec["readinessProbe"]["exec"]["command"]
    assert probe == ["sh", "-c", health[1].replace("$$", "$")]


@pytest.mark.parametrize("overlay", PROFILES)
def test_the_settings_have_the_defaults_of_compose(overlay):
    example = (compose.ROOT / ".env.example").read_text()
    defaults = dict(line.split("=", 1) for line in example.splitlines() if "=" in line[:25])
    found = settings(overlay)
    if overlay != "cpu":  # no server shares its GPU there
        found = {k: v for k, v in found.items() if k not in ("POLICY_MEMORY", "PPM_MEMORY")}
    assert found == {name: defaults[name] for name in found}


@pytest.mark.parametrize("overlay", PROFILES)
def test_services_lead_to_ports_at_which_something_listens(overlay):
    pods = [pod for owner in render(overlay) for pod in pod_templates(owner)]
    for service in (o for o in render(overlay) if o["kind"] == "Service"):
        wanted = service["spec"]["selector"].items()
        (pod,) = [pod for pod in pods if wanted <= pod["metadata"]["labels"].items()]
        listening = [p["containerPort"] for c in pod["spec"]["containers"] for p in c["ports"]]
        assert {port["port"] for port in service["spec"]["ports"]} <= set(listening)
        if service["metadata"]["name"].startswith("broker-"):
            command = " ".join(pod["spec"]["containers"][0]["command"])
            assert all(f"tcp://*:{p['port']}" in command for p in service["spec"]["ports"])


def test_bad_input_ends_a_run_and_other_failures_are_tried_again_as_often_as_in_compose():
    (job,) = [o for o in render("cpu") if o["metadata"]["name"] == "coordinator"]
    _, attempts = compose.services("cpu")["coordinator"]["restart"].split(":")
    assert job["spec"]["backoffLimit"] == int(attempts)
    assert job["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2, 75]


@pytest.mark.parametrize("overlay", PROFILES)
def test_no_pool_has_two_brokers(overlay):
    for container in all_containers(overlay):
        if container.name.startswith("broker-"):
            assert container.owner["spec"].get("replicas", 1) == 1
            assert container.owner["spec"]["strategy"] == {"type": "Recreate"}


def _words(command: list[str], values: dict[str, str], folder: Path) -> list[str]:
    """The command as its process gets it: `$(NAME)` put in, a shell's script run by a shell."""
    if command[:2] == ["sh", "-c"]:
        for name in ("python", "sh"):
            program = folder / name
            program.write_text('#!/bin/sh\necho "${0##*/}"\nfor word; do echo "$word"; done\n')
            program.chmod(0o755)
        environment = values | {"PATH": str(folder)}
        done = subprocess.run(
            ["/bin/sh", *command[1:]], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()
    for name, value in values.items():
        command = [word.replace(f"$({name})", value) for word in command]
    return command


def _placed(word: str) -> str:
    """Where a pod has something at another place: the server beside its bridge, a script."""
    for name in INSIDE_A_POD:
        word = word.replace(f"http://{name}:", "http://127.0.0.1:")
    return word.replace("/scripts/", "/")


def _volume(container: Container, path: str) -> dict[str, object]:
    (mount,) = [m for m in container.spec["volumeMounts"] if m["mountPath"] == path]
    (volume,) = [v for v in container.pod["spec"]["volumes"] if v["name"] == mount["name"]]
    return volume


def _secrets_placed(container: Container, target: str) -> set[str]:
    """The Secrets whose content the init container `secrets` may copy, if it fills this folder."""
    (init,) = [c for c in container.pod["spec"]["initContainers"] if c["name"] == "secrets"]
    assert f" {target}/" in " ".join(init["command"])
    mounted = {mount["name"] for mount in init["volumeMounts"]}
    volumes = container.pod["spec"]["volumes"]
    return {v["secret"]["secretName"] for v in volumes if "secret" in v and v["name"] in mounted}
