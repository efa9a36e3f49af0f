"""A real Slurm on this machine: slurmctld, and a slurmd for each of several nodes.

Needs Debian's `slurm-wlm` and `munge`, and no root: munge has a key and a socket of its own. Nodes
are n1, n2, …; all run here, as the caller, and share the file system. Cores and memory are only
counted, not confined.
"""

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "munged")
CPUS, MEMORY_MIB = 2, 4000
PATIENCE_SECONDS = 60.0


def missing_programs() -> list[str]:
    """What this machine lacks, "" for none."""
    return [name for name in PROGRAMS if _program(name) is None]


class SlurmCluster:
    """A cluster with its state in `folder`. Processes find it by `environment`."""

    def __init__(self, folder: Path, nodes: int = 3) -> None:
        self.folder = folder
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    @contextlib.contextmanager
    def up(self) -> Iterator["SlurmCluster"]:
        """Running while the block lasts; at its end nothing of it is left, jobs included."""
        self.folder.mkdir(parents=True)
        self._write_configuration()
        try:
            self._start_munge()
            self._start("slurmctld", "-D")
            for node in self.nodes:
                self.start_node(node)
            self.wait_until(lambda: self._idle() == len(self.nodes), "idle nodes")
            yield self
        finally:
            for job in self.jobs():
                self._run("scancel", "--signal=KILL", "--full", job)
            for node in self.nodes:
                self.fail_node(node)
            for daemon in self._daemons.values():
                daemon.kill()
                daemon.wait()

    @property
    def environment_of_jobs(self) -> dict[str, str]:
        """This process's environment, with which Slurm's commands find the cluster."""
        return {**os.environ, **self.environment}

    def start_node(self, node: str) -> None:
        (self.folder / f"spool.{node}").mkdir(exist_ok=True)
        self._start(f"slurmd-{node}", "-D", "-N", node, program="slurmd")

    def fail_node(self, node: str) -> None:
        """Kill all of the node's processes at once, as a power cut does; its slurmd first."""
        daemon = self._daemons.pop(f"slurmd-{node}", None)
        if daemon is not None:
            daemon.kill()
            daemon.wait()
        mark = f"SLURMD_NODENAME={node}".encode()
        while found := [pid for pid in self._processes() if mark in _environment(pid)]:
            for pid in {*found, *(p for p in map(_parent, found) if _is_step_daemon(p))}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def is_down(self, node: str) -> bool:
        return "down" in self._run("sinfo", "-h", "-N", "-n", node, "-o", "%T")

    def jobs(self) -> list[str]:
        """The ids of all jobs that wait, run or are ending."""
        return self._run("squeue", "-h", "-o", "%A").split()

    def state(self, job: str) -> str:
        """Such as RUNNING; "" for a job that has left the queue."""
        return self._run("squeue", "-h", "-o", "%T", "-j", job, may_fail=True).strip()

    def wait_until(
        self, holds: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Poll until true; `TimeoutError` names what did not happen."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {seconds:g} s\n{self._run('squeue')}")
            time.sleep(0.1)

    def run(self, *words: str) -> str:
        """The output of one of Slurm's commands."""
        return self._run(*words)

    def _idle(self) -> int:
        return self._run("sinfo", "-h", "-N", "-t", "idle", "-o", "%N", may_fail=True).count("n")

    def _run(self, *words: str, may_fail: bool = False) -> str:
        done = subprocess.run(
            words,
            env=self.environment_of_jobs,
            capture_output=True,
            text=True,
            check=not may_fail,
        )
        return done.stdout

    def _start(self, name: str, *options: str, program: str = "") -> None:
        path = _program(program or name)
        assert path is not None
        with open(self.folder / f"{name}.out", "ab") as output:
            self._daemons[name] = subprocess.Popen(
                [path, *options],
                env=self.environment_of_jobs,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        files = {"key": key} | {
            name: self.folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")
        }
        options = [
            f"--{name}{'' if name == 'socket' else '-file'}={f}" for name, f in files.items()
        ]
        self._start("munged", "--foreground", "--force", *options)
        self.wait_until(files["socket"].exists, "munge's socket")

    def _write_configuration(self) -> None:
        host, user = socket.gethostname().split(".")[0], getpass.getuser()
        ports = _free_ports(1 + len(self.nodes))
        lines = [
            "ClusterName=test",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={ports[0]}",
            f"SlurmUser={user}",
            f"SlurmdUser={user}",
            "AuthType=auth/munge",
            # A job that is queued again waits for its old credentials to expire: not two minutes.
            f"AuthInfo=socket={self.folder}/munge.socket,cred_expire=5",
            f"StateSaveLocation={self.folder}/state",
            f"SlurmdSpoolDir={self.folder}/spool.%n",
            f"SlurmctldPidFile={self.folder}/slurmctld.pid",
            f"SlurmdPidFile={self.folder}/slurmd.%n.pid",
            f"SlurmctldLogFile={self.folder}/slurmctld.log",
            f"SlurmdLogFile={self.folder}/slurmd.%n.log",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "MpiDefault=none",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core",
            "SlurmdParameters=config_overrides",
            "ReturnToService=2",
            "SlurmdTimeout=10",
            "KillWait=20",
            "MinJobAge=300",
            "SchedulerParameters=sched_interval=2,bf_interval=5",
            "JobRequeue=1",
        ]
        for node, port in zip(self.nodes, ports[1:], strict=True):
            lines.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
                f"CPUs={CPUS} RealMemory={MEMORY_MIB} State=UNKNOWN"
            )
        lines.append("PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP")
        (self.folder / "state").mkdir()
        (self.folder / "slurm.conf").write_text("\n".join(lines) + "\n")

    def _processes(self) -> list[int]:
        """All processes of this cluster's jobs."""
        mark = f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()
        numbers = [int(f.name) for f in Path("/proc").glob("[0-9]*")]
        return [pid for pid in numbers if mark in _environment(pid)]


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _is_step_daemon(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("slurmstepd")
    except OSError:
        return False
