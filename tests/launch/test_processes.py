from pathlib import Path

import msgspec

from rstar_async.config import ObserveConfig, Recipe, TrainingConfig, WorkersConfig
from rstar_async.launch.network import LocalSockets
from rstar_async.launch.processes import Places, ProcessSpec, processes, processes_for
from rstar_async.launch.scrape_targets import scrape_targets

PLACES = Places(
    Path("/h"), Path("/h/models"), LocalSockets(Path("/tmp/rstar-x")), Path("/h/recipe.json")
)


def by_name(training: TrainingConfig | None = None, **workers: object) -> dict[str, ProcessSpec]:
    own = msgspec.convert(workers, WorkersConfig)
    recipe = Recipe(name="trial", training=training or TrainingConfig(), workers=own)
    return {spec.name: spec for spec in processes(recipe, PLACES)}


def test_every_pool_has_a_broker_and_as_many_workers_as_asked() -> None:
    assert list(by_name(executor=2, inference=1, reward=0)) == [
        *("broker-inference", "broker-executor", "broker-reward"),
        *("executor-1", "executor-2", "inference-1"),
        *("trainer", "coordinator"),
    ]


def test_broker_and_workers_of_a_pool_meet_at_the_same_endpoint() -> None:
    specs = by_name()
    assert "ipc:///tmp/rstar-x/reward.workers" in specs["broker-reward"].argv
    assert "ipc:///tmp/rstar-x/reward.workers" in specs["reward-1"].argv


def test_processes_that_submit_jobs_are_stopped_before_those_that_run_them() -> None:
    specs = by_name()
    order = sorted(specs.values(), key=lambda spec: spec.stop_order)
    kinds = list(dict.fromkeys(spec.name.split("-")[0] for spec in order))
    assert kinds == ["coordinator", "trainer", "executor", "inference", "reward", "broker"]


def test_all_processes_can_be_stopped_in_half_a_minute() -> None:
    graces = {spec.stop_order: spec.grace_seconds for spec in by_name(executor=9).values()}
    assert sum(graces.values()) < 30


def test_only_the_coordinator_ends_the_run_and_prints_to_the_terminal() -> None:
    specs = by_name()
    assert [s.name for s in specs.values() if s.ends_run and s.on_terminal] == ["coordinator"]
    assert sum(s.ends_run or s.on_terminal for s in specs.values()) == 1


def test_model_processes_use_as_many_threads_as_the_recipe_says() -> None:
    specs = by_name(TrainingConfig(threads=4), threads=3)
    threads = {name: spec.env["OMP_NUM_THREADS"] for name, spec in specs.items()}
    assert threads["inference-1"] == threads["reward-1"] == "3"
    assert threads["trainer"] == "4"
    assert threads["executor-1"] == threads["coordinator"] == "1"


def test_a_folder_named_workers_in_the_working_directory_is_not_run() -> None:
    assert all(spec.argv[1:3] == ("-P", "-m") for spec in by_name().values())


def test_every_process_serves_metrics_at_a_port_of_its_own() -> None:
    recipe = Recipe(workers=WorkersConfig(executor=3), observe=ObserveConfig(metrics_port=9400))
    specs = processes(recipe, PLACES)
    assert [spec.metrics_port for spec in specs] == list(range(9400, 9400 + len(specs)))
    assert all(spec.argv[-2:] == ("--metrics", str(spec.metrics_port)) for spec in specs)
    assert not any("--metrics" in spec.argv for spec in by_name().values())


def test_scrape_targets_name_every_process(tmp_path: Path) -> None:
    with scrape_targets(
        processes(Recipe(observe=ObserveConfig(metrics_port=9400)), PLACES), tmp_path
    ):
        targets = msgspec.json.decode((tmp_path / "metrics.json").read_bytes())
        assert targets[0] == {
            "targets": ["127.0.0.1:9400"],
            "labels": {"process": "broker-inference"},
        }
    with scrape_targets(processes(Recipe(), PLACES), tmp_path):
        assert not (tmp_path / "metrics.json").exists()


def test_each_running_sglang_server_has_a_worker_of_its_own() -> None:
    urls = ["http://a:1", "http://c:3/"]
    recipe = msgspec.convert(
        {"workers": {"engine": "sglang", "inference": 1}, "sglang": {"policy_urls": urls}}, Recipe
    )
    argv = {spec.name: spec.argv for spec in processes(recipe, PLACES)}
    assert argv["inference-1"][-1] == "--url=http://a:1"
    assert argv["inference-2"][-1] == "--url=http://c:3"
    assert not any(word.startswith("--url") for word in argv["reward-1"])


def test_servers_that_share_a_gpu_can_free_its_memory() -> None:
    sglang = {"share_device": True, "ppm_arguments": ["--tp", "2"]}
    recipe = msgspec.convert({"workers": {"engine": "sglang"}, "sglang": sglang}, Recipe)
    argv = {spec.name: spec.argv for spec in processes(recipe, PLACES)}
    assert argv["reward-1"][-1] == "--server-arguments=--tp 2 --enable-memory-saver"


def test_all_processes_of_a_client_log_as_the_recipe_says() -> None:
    recipe = Recipe(observe=ObserveConfig(metrics_port=9400, logs="json"))
    specs = processes_for("rstar_async.evaluation", recipe, PLACES, Path("/h/request.json"))
    assert all(spec.argv[-2:] == ("--logs", "json") for spec in specs)
    assert not any("--metrics" in spec.argv for spec in specs)


def test_several_coordinators_have_names_and_the_first_has_the_terminal() -> None:
    specs = [s for s in by_name(coordinators=3).values() if s.name.startswith("coordinator")]
    assert [spec.name for spec in specs] == ["coordinator-1", "coordinator-2", "coordinator-3"]
    assert [spec.on_terminal for spec in specs] == [True, False, False]
    assert all(spec.ends_run for spec in specs)
    assert all(spec.argv[-2:] == ("--name", spec.name) for spec in specs)
    assert "--name" not in by_name()["coordinator"].argv
