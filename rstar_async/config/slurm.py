"""The Slurm job that a run goes on in, if any."""

from rstar_async.config.base import Processes, ProcessesOrNone, Section


class SlurmConfig(Section):
    """The run as a job of Slurm (docs/clusters.md): used if any of these settings is given. Numbers
    of [workers] then count for each node."""

    # Empty: the cluster's default partition.
    partition: str = ""
    # Nodes of the allocation; 0 means one.
    nodes: ProcessesOrNone = 0
    # Time limit, as sbatch takes it. When it is near the run drains and is queued again; empty:
    # that of the partition.
    time: str = ""
    # Cores of each node; 0: whole nodes.
    cpus: ProcessesOrNone = 0
    # GPUs of each node, shared out among its inference workers and among its reward workers.
    gpus: ProcessesOrNone = 0
    # Memory of each node, as sbatch takes it, such as "64G"; empty: what the cluster gives.
    memory: str = ""
    # The account that pays; empty: yours.
    account: str = ""
    # Quality of service; empty: the default.
    qos: str = ""
    # Further options of sbatch, such as "--constraint=h100".
    options: tuple[str, ...] = ()
    # Lines of shell before ours, such as "module load cuda".
    setup: tuple[str, ...] = ()
    # The interpreter on the nodes; empty: the one that submits.
    python: str = ""
    # Your own batch script, with {directives}, {setup} and {command} in it; empty: ours.
    template: str = ""
    # How nodes reach the batch node: its name or address, {host} being its host name, such as
    # "{host}-ib0".
    host: str = "{host}"
    # Nodes that train together, by torchrun, with `training.processes` on each. More than one need
    # a PostgreSQL database.
    training_nodes: Processes = 1

    @property
    def is_used(self) -> bool:
        return self != SlurmConfig()

    @property
    def node_count(self) -> int:
        return max(self.nodes, self.training_nodes)
