"""What the init containers make of a mounted Secret, by their own commands."""

import subprocess
from pathlib import Path

import pytest

from rstar_async.wire.keys import load_broker_keys, load_peer_keys, make_keys
from tests.kubernetes.manifests import Container, all_containers, containers


@pytest.mark.parametrize("pool", ["inference", "executor", "reward"])
def test_peers_can_read_the_keys_that_their_pods_place(pool, tmp_path):
    made = tmp_path / "made"
    make_keys(made, ["coordinator"], ["executor", "inference", "reward"])
    broker = load_broker_keys(_placed(f"broker-{pool}", made / "broker", tmp_path))
    worker = load_peer_keys(_placed(pool, made / pool, tmp_path))
    assert worker.broker == broker.own.public
    assert broker.name_of("workers", worker.own.public.encode()) == pool


def test_a_mounted_key_would_be_refused_as_it_is(tmp_path):
    """Why there are init containers at all."""
    make_keys(tmp_path / "made", ["coordinator"], [])
    _mount(containers("cpu")["coordinator"], tmp_path / "made/coordinator", tmp_path / "secret")
    with pytest.raises(Exception, match="can be read by others"):
        load_peer_keys(tmp_path / "secret")


def _placed(name: str, made: Path, folder: Path) -> Path:
    """Where the init container `secrets` of this container's pod has put the keys in `made`."""
    container = containers("cpu")[name]
    secret, keys = folder / f"secret-{name}", folder / f"keys-{name}"
    keys.mkdir()
    _mount(container, made, secret)
    (init,) = [
        c.spec for c in all_containers("cpu") if c.name == "secrets" and c.owner is container.owner
    ]
    target = container.spec["volumeMounts"][1]["mountPath"]
    script = init["command"][2].replace("/secret/", f"{secret}/").replace(f"{target}/", f"{keys}/")
    subprocess.run([*init["command"][:2], script], check=True)
    return keys


def _mount(container: Container, made: Path, target: Path) -> None:
    """As a kubelet does it for a pod with a group: by links, readable by that group."""
    data = target / "..data"
    volumes = container.pod["spec"]["volumes"]
    (secret,) = [v["secret"] for v in volumes if v["name"] == "secret"]
    files = [item["path"] for item in secret.get("items", ())] or ["curve.key", "broker.pub"]
    for file in files:
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).write_bytes((made / file).read_bytes())
        (data / file).chmod(0o440)
    for top in {file.partition("/")[0] for file in files}:
        (target / top).symlink_to(data / top)
