import signal
from pathlib import Path

from rstar_async.config import Recipe, SlurmConfig, TrainingConfig, WorkersConfig
from rstar_async.launch.network import PoolPorts, TCPEndpoints
from rstar_async.launch.processes import Places, ProcessSpec
from rstar_async.launch.slurm.processes import job_processes

PORTS = {
    "inference": PoolPorts(1001, 1002),
    "executor": PoolPorts(1003, 1004),
    "reward": PoolPorts(1005, 1006),
}
NETWORK = TCPEndpoints("node1", PORTS, "/h/keys")
PLACES = Places(Path("/h"), Path("/h/models"), NETWORK, Path("/h/recipe.json"))


def by_name(slurm: SlurmConfig, workers: WorkersConfig | None = None) -> dict[str, ProcessSpec]:
    recipe = Recipe(
        name="trial",
        slurm=slurm,
        workers=workers or WorkersConfig(),
        training=TrainingConfig(processes=4),
    )
    specs = job_processes(recipe, PLACES, nodes=3, port=1007)
    return {spec.name: spec for spec in specs}


def follows(words: tuple[str, ...], *wanted: str) -> bool:
    return any(words[n : n + len(wanted)] == wanted for n in range(len(words)))


def test_brokers_listen_on_all_addresses_and_the_coordinator_calls_them_by_name() -> None:
    specs = by_name(SlurmConfig(nodes=3))
    broker = specs["broker-executor"].argv
    assert follows(broker, "--clients", "tcp://*:1003", "--workers", "tcp://*:1004")
    assert follows(broker, "--keys", "/h/keys/broker")
    ends = ("tcp://node1:1001", "tcp://node1:1003", "tcp://node1:1005")
    assert follows(specs["coordinator"].argv, "--endpoints", *ends, "--keys", "/h/keys/coordinator")


def test_each_pool_has_a_group_with_one_task_on_every_node() -> None:
    argv = by_name(SlurmConfig(nodes=3))["workers-executor"].argv
    assert argv[0] == "srun"
    assert {"--nodes=3", "--ntasks=3", "--ntasks-per-node=1", "--overlap"} <= {*argv}
    assert follows(argv, "workers", "executor", "--join", "/h")


def test_a_pool_without_workers_has_no_group() -> None:
    names = by_name(SlurmConfig(nodes=3), WorkersConfig(reward=0))
    assert [name for name in names if name.startswith("workers-")] == [
        "workers-inference",
        "workers-executor",
    ]


def test_gpus_are_for_models_only() -> None:
    specs = by_name(SlurmConfig(nodes=3, gpus=4))
    assert "--gpus-per-node=4" in specs["workers-inference"].argv
    assert "--gpus-per-node=4" not in specs["workers-executor"].argv


def test_groups_are_stopped_by_a_signal_that_srun_passes_on() -> None:
    specs = by_name(SlurmConfig(nodes=3))
    assert specs["workers-reward"].stop_signal == signal.SIGUSR1
    assert specs["broker-reward"].stop_signal == signal.SIGTERM


def test_one_node_trains_on_the_batch_node() -> None:
    assert "srun" not in by_name(SlurmConfig(nodes=3))["trainer"].argv


def test_several_nodes_train_by_torchrun_that_meets_at_the_batch_node() -> None:
    argv = by_name(SlurmConfig(nodes=3, training_nodes=2))["trainer"].argv
    assert {"srun", "--nodes=2", "--ntasks=2"} <= {*argv}
    assert follows(argv, "rstar_async.trainer.ranks", "2:4:node1:1007", "--recipe")
