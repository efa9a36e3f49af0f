"""`docker compose --profile cpu up`, for real: with RSTAR_TEST_DOCKER=1, on a Docker engine.

The tests share one stack, and each continues from the state that the one before left.
"""

import json
import os
import re
import time
from collections.abc import Iterator

import pytest

from tests.system.docker.stack import HERE, ONE_SHOTS, OURS, ROOT, Stack

pytestmark = pytest.mark.docker

STOP_SECONDS = 30.0
PROBES = 24
ORPHANS = (
    "SELECT n.search_id, n.path FROM nodes n LEFT JOIN nodes p "
    "ON p.search_id = n.search_id AND p.path = n.parent WHERE n.depth > 0 AND p.path IS NULL"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Images built, nothing started; at the end nothing is left but the images."""
    if not os.environ.get("RSTAR_TEST_DOCKER"):
        pytest.skip("RSTAR_TEST_DOCKER=1 says that there is a Docker engine to test with")
    stack = Stack(
        f"rstar-test-{os.getpid()}",
        RSTAR_FILES=str(HERE / "files"),
        RSTAR_TEST_CORPUS=str(ROOT / "tests/workers/sandbox/corpus"),
        RSTAR_RECIPE="recipes/small.toml",
        RSTAR_RUN="small",
        EXECUTOR_SLOTS="1",
        VIEW_PORT="8799",
    )
    began = time.monotonic()
    stack.compose("build", seconds=1800)
    print(f"built in {time.monotonic() - began:.0f} s")
    try:
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans")


@pytest.mark.parametrize("profiles", [("cpu",), ("gpu",), ("cpu", "observe"), ("gpu", "observe")])
def test_the_file_is_valid_in_every_profile(stack: Stack, profiles: tuple[str, ...]) -> None:
    words = [word for profile in profiles for word in ("--profile", profile)]
    stack.docker("compose", *words, "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet")


def test_up_runs_the_loop_to_its_table(stack: Stack) -> None:
    stack.compose("up", "--detach")
    stack.wait_until(lambda: _ended(stack, "coordinator"), "the end of the run")
    said = stack.compose("logs", "--no-log-prefix", "coordinator")
    assert _exit_code(stack, "coordinator") == 0, said
    table = said[said.index("policy pass@1") :]
    assert re.search(r"│ bootstrap │.* % \[", table), said
    assert re.search(r"│ +1 │ +16 │ +\d+ │.* % \[", table), said


def test_solutions_are_read_from_postgresql_by_plain_sql(stack: Stack) -> None:
    rounds = stack.sql("SELECT number, status FROM rounds WHERE run_id = 'small' ORDER BY number")
    assert rounds == [["0", "closed"], ["1", "closed"]]
    found = stack.sql("SELECT count(*) FROM trajectories WHERE correct")
    assert int(found[0][0]) > 0


def test_every_running_service_is_healthy(stack: Stack) -> None:
    stack.environment |= {"RSTAR_RECIPE": "recipes/long.toml", "RSTAR_RUN": "long"}
    stack.compose("up", "--detach")
    for service in (*OURS, "db"):
        stack.wait_until(lambda service=service: stack.is_well(service), f"{service} well")
    stack.wait_until(lambda: len(stack.nodes()) > 50, "a growing tree")


def test_containers_are_confined(stack: Stack) -> None:
    containers = stack.inspect()
    for service in (*OURS, *ONE_SHOTS):
        for facts in containers[service]:
            host = facts["HostConfig"]
            assert facts["Config"]["User"] == "1000:1000", service
            assert host["ReadonlyRootfs"], service
            assert host["CapDrop"] == ["ALL"], service
            assert host["CapAdd"] is None, service
            assert "no-new-privileges:true" in host["SecurityOpt"], service
            assert host["Init"], service
            assert 0 < host["PidsLimit"] <= 2048, service
            assert not host["Privileged"], service
    assert containers["executor"][0]["HostConfig"]["Memory"] == 4 << 30


def test_restarts_are_limited(stack: Stack) -> None:
    """Docker doubles its waits; what matters here is that there is an end to them."""
    for service, (facts, *_) in stack.inspect().items():
        policy = facts["HostConfig"]["RestartPolicy"]
        if service in ONE_SHOTS:
            assert policy["Name"] == "no", service
        else:
            assert policy["Name"] == "on-failure", service
            assert 0 < policy["MaximumRetryCount"] <= 20, service


def test_the_kernel_enforces_the_confinement(stack: Stack) -> None:
    status = stack.execute("executor", "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Uid"].split() == ["1000"] * 4
    assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
    write = "touch /app/x 2>&1 || touch /opt/rstar/x 2>&1 || echo refused"
    assert stack.execute("executor", "sh", "-c", write).endswith("refused\n")
    (mount,) = [
        m for m in stack.execute("executor", "cat", "/proc/mounts").splitlines() if " /tmp " in m
    ]
    assert {"noexec", "nosuid", "nodev"} <= set(mount.split()[3].split(","))


def test_an_executor_reaches_its_broker_and_nothing_else(stack: Stack) -> None:
    addresses = {
        service: [
            network["IPAddress"] for network in facts[0]["NetworkSettings"]["Networks"].values()
        ]
        for service, facts in stack.inspect(
            "db", "broker-executor", "broker-reward", "view"
        ).items()
    }
    goals = {
        "broker": ("broker-executor", 5552),
        "database": (addresses["db"][0], 5432),
        "another broker": (addresses["broker-reward"][0], 5552),
        "the page": (addresses["view"][0], 8799),
        "the world": ("9.9.9.9", 443),
    }
    look = (
        "import json, socket, sys\n"
        "def reaches(host, port):\n"
        "    try: socket.create_connection((host, port), timeout=2).close()\n"
        "    except OSError: return False\n"
        "    return True\n"
        "print(json.dumps({k: reaches(*v) for k, v in json.load(sys.stdin).items()}))"
    )
    reached = json.loads(stack.execute("executor", "python", "-c", look, text=json.dumps(goals)))
    assert [name for name, yes in reached.items() if yes] == ["broker"]


def test_only_the_page_is_published_and_on_loopback(stack: Stack) -> None:
    published = {
        (service, binding["HostIp"], binding["HostPort"])
        for service, all_facts in stack.inspect().items()
        for facts in all_facts
        for bindings in facts["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {("view", "127.0.0.1", "8799")}
    said = stack.compose("logs", "--no-log-prefix", "view")
    assert "http://localhost:8799/?token=" in said


def test_the_page_shows_the_pools_without_a_network_of_theirs(stack: Stack) -> None:
    look = (
        "import http.cookiejar, sys, urllib.request as u\n"
        "opener = u.build_opener(u.HTTPCookieProcessor(http.cookiejar.CookieJar()))\n"
        "address = sys.stdin.read()\n"
        "opener.open(address).close()\n"
        "print(opener.open(address.partition('?')[0] + 'api/pools').read().decode())"
    )
    said = stack.compose("logs", "--no-log-prefix", "view")
    address = re.findall(r"http://localhost:8799/\?token=\S+", said)[-1]
    shown = json.loads(stack.execute("view", "python", "-c", look, text=address))
    assert shown["running"] is True
    assert all(pool["workers"] for pool in shown["pools"].values()), shown
    networks = stack.inspect("view")["view"][0]["NetworkSettings"]["Networks"]
    assert {name.rpartition("_")[2] for name in networks} == {"data", "page"}


def test_no_secret_is_visible(stack: Stack) -> None:
    password = stack.execute("coordinator", "cat", "/keys/database/password")
    key = json.loads(stack.execute("coordinator", "cat", "/keys/coordinator/curve.key"))["secret"]
    assert len(password) >= 32
    in_sight = (
        stack.compose("logs"),
        stack.docker("inspect", *stack.containers()),
        stack.docker("image", "inspect", "rstar-async:light", "rstar-async:models"),
        stack.execute("coordinator", "cat", "/data/long/recipe.json"),
        stack.execute("coordinator", "cat", "/proc/1/environ"),
    )
    for text in in_sight:
        assert password not in text
        assert key not in text
    assert stack.execute("executor", "ls", "/keys/executor").split() == ["broker.pub", "curve.key"]
    assert stack.execute("executor", "find", "/keys", "-type", "f").count("\n") == 2


def test_more_executors_share_the_work_at_once(stack: Stack) -> None:
    coordinator = stack.containers("coordinator")
    alone = _probe(stack, "alone")
    assert len(alone["served"]) == 1
    stack.compose("up", "--detach", "--scale", "executor=4")
    stack.wait_until(lambda: stack.health("executor") == ["healthy"] * 4, "four executors")
    together = _probe(stack, "together")
    assert len(together["served"]) == 4
    assert together["seconds"] < alone["seconds"] / 2
    assert stack.containers("coordinator") == coordinator, "nobody else was disturbed"
    stack.compose("up", "--detach", "--scale", "executor=1")
    assert stack.health("executor") == ["healthy"]
    assert len(_probe(stack, "fewer")["served"]) == 1
    deaths = stack.execute(
        "coordinator",
        "rstar",
        "status",
        "--json",
        "--keys",
        "/keys/coordinator",
        "--endpoints",
        "tcp://broker-executor:5551",
    )
    assert json.loads(deaths)["tcp://broker-executor:5551"]["counters"]["deaths"] == 0


def test_every_service_can_be_killed_in_turn(stack: Stack) -> None:
    """`docker kill`, as Docker does not start again what it was told to kill: by hand, alone."""
    kept = stack.nodes()
    for service in (*OURS, "db"):
        stack.compose("kill", service)
        assert stack.health(service) == ["exited"]
        stack.docker("start", *stack.containers(service))
        stack.wait_until(lambda service=service: stack.is_well(service), f"{service} well again")
        now = stack.nodes()
        stack.wait_until(lambda now=now: stack.nodes() > now, f"growth after {service}'s death")
        assert kept <= now, service
        kept = now
    assert stack.sql(ORPHANS) == []


def test_a_crashed_service_restarts_by_itself(stack: Stack) -> None:
    for service in ("executor", "coordinator"):
        (before,) = stack.inspect(service)[service]
        stack.crash(service)
        stack.wait_until(
            lambda service=service, before=before: (
                stack.inspect(service)[service][0]["RestartCount"] > before["RestartCount"]
                and stack.is_well(service)
            ),
            f"{service} restarted",
        )


def test_the_corpus_is_contained_in_the_running_executor(stack: Stack) -> None:
    check = ("rstar", "sandbox", "check", "/corpus/attacks", "/corpus/benign", "--json")
    found = json.loads(stack.execute("executor", *check))
    assert len(found["programs"]) > 80
    assert found["good"] == len(found["programs"])
    assert found["left_over"] == []


def test_down_is_quick_and_up_continues(stack: Stack) -> None:
    kept = stack.nodes()
    began = time.monotonic()
    stack.compose("down")
    assert time.monotonic() - began < STOP_SECONDS
    stack.compose("up", "--detach", "db")
    stack.wait_until(lambda: stack.is_well("db"), "the database")
    assert stack.nodes() >= kept
    stack.compose("up", "--detach")
    stack.wait_until(lambda: stack.nodes() > kept, "growth after down and up")
    assert stack.sql(ORPHANS) == []


def _ended(stack: Stack, service: str) -> bool:
    return stack.health(service) == ["exited"]


def _exit_code(stack: Stack, service: str) -> int:
    code: int = stack.inspect(service)[service][0]["State"]["ExitCode"]
    return code


def _probe(stack: Stack, name: str) -> dict[str, object]:
    probe = (HERE / "probe.py").read_text()
    return json.loads(stack.execute("coordinator", "python", "-", name, str(PROBES), text=probe))
