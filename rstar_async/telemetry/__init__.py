"""Observability of a process: Prometheus metrics, structured logs, heartbeats, stall warnings.

`metrics` names every metric (the one place to look), `exporter` serves them over HTTP, `logs`
formats the lines of the log, `stalls` warns when a trio loop was held up, `heartbeat` touches the
file that health checks look at, `progress_display` and `folding` write for the person at the
terminal, and `process` is what every entry point calls: options on the command line, then `begin`,
then `run`.
"""
