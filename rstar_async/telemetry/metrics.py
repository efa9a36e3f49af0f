"""Every metric of every process, by name: what dashboards and alerts may rely on.

Names, labels and buckets are public: they may be added, not changed. `pool` is inference, executor
or reward. A process serves only the metrics it has used, beside prometheus_client's own `process_*`
(memory, CPU, start time) and `python_*`.
"""

from prometheus_client import Counter, Gauge, Histogram

# Seconds, from one sandboxed step to a generation that waited for a model to load.
LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 150, 600)
POOL = ["pool"]

# The brokers

BROKER_JOBS = Gauge(
    "rstar_broker_jobs",
    "Jobs in memory: queued, leased, or retained until their client has the result; suspects are "
    "those queued after a worker's death, unclaimed runs wait for their client since a restart",
    ["pool", "state"],
)
BROKER_WORKERS = Gauge("rstar_broker_workers", "Connected workers", POOL)
BROKER_CAPACITY = Gauge("rstar_broker_capacity", "Jobs that connected workers take at once", POOL)
BROKER_CLIENTS = Gauge("rstar_broker_clients", "Connected clients", POOL)
BROKER_QUARANTINED = Gauge(
    "rstar_broker_quarantined", "Workers that get no jobs because they did several wrongly", POOL
)
BROKER_EVENTS = Counter(
    "rstar_broker_events",
    "What happened to jobs and workers: submitted, attempts (leases given), finished, errors, dead "
    "(letters), expired, cancelled, retries, redelivered, deaths (of workers), duplicates "
    "(results dropped), malformed (messages refused), rejected (results that clients refused), "
    "quarantines (of workers)",
    ["pool", "event"],
)
BROKER_WAIT = Histogram(
    "rstar_broker_wait_seconds", "From a job's (last) queueing to its lease", POOL, buckets=LATENCY
)
BROKER_RUN = Histogram(
    "rstar_broker_run_seconds", "From a job's lease to its result", POOL, buckets=LATENCY
)

# The workers

WORKER_RUNNING = Gauge("rstar_worker_running", "Jobs that run here now", POOL)
WORKER_CAPACITY = Gauge("rstar_worker_capacity", "Jobs that may run here; 0 while draining", POOL)
WORKER_RUNS = Counter(
    "rstar_worker_runs",
    "Runs that ended: done, error, retry, or stopped because cancelled, deadline or draining",
    ["pool", "ending"],
)
WORKER_SECONDS = Histogram("rstar_worker_run_seconds", "One run", POOL, buckets=LATENCY)
PROMPT_TOKENS = Counter("rstar_prompt_tokens", "Tokens of prompts, each prompt once", POOL)
CACHED_TOKENS = Counter("rstar_cached_tokens", "Prompt tokens found in the prefix cache", POOL)
GENERATED_TOKENS = Counter("rstar_generated_tokens", "Tokens sampled", POOL)
PROGRAMS = Counter(
    "rstar_programs",
    "Programs executed, by outcome: ok, exception, timeout, memory, output or died",
    ["status"],
)
PROGRAM_CPU = Counter("rstar_program_cpu_seconds", "CPU seconds of executed programs", ["status"])
REUSED_STEPS = Counter("rstar_reused_steps", "Steps that a snapshot saved executing", ["status"])

# The coordinator

CLIENT_JOBS = Gauge("rstar_client_jobs", "Jobs that this client waits for", POOL)
CLIENT_EVENTS = Counter(
    "rstar_client_events",
    "Events of the client: asked, answered, failed, refused (results that are no answers), resent, "
    "duplicates (endings of jobs that no ask waits for, dropped), welcomes (connections made)",
    ["pool", "event"],
)
SEARCHES_IN_FLIGHT = Gauge("rstar_searches_in_flight", "Searches in flight", ["purpose"])
SEARCHES = Counter("rstar_searches", "Searches ended: finished or failed", ["purpose", "ending"])
EXPANSIONS = Counter("rstar_expansions", "Expansions committed to the store", ["purpose"])
NODES = Counter("rstar_nodes", "Nodes committed to the store", ["purpose", "status"])
CLAIMS = Gauge(
    "rstar_claimed_problems", "Problems that this one of several coordinators searches now"
)
LEADS = Gauge("rstar_leads", "Whether this one of several coordinators leads the run: 1 or 0")

# The trainer

TRAINED_ROUNDS = Counter("rstar_trained_rounds", "Rounds trained; 0 is the bootstrap", ["round"])
TRAINING_SECONDS = Counter("rstar_training_seconds", "Seconds spent on training", ["round"])

# All processes with a trio loop

STALLS = Histogram(
    "rstar_loop_stall_seconds",
    "Single steps of a task that blocked the whole loop for more than 0.1 s",
    buckets=(0.2, 0.5, 1, 2, 5, 10, 30),
)
