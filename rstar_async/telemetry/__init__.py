"""What a process tells those who watch it: Prometheus metrics, structured logs, stall warnings.

`metrics` names every metric (the one place to look), `exporter` serves them over HTTP, `logs` lays
out the lines of the log, `stalls` warns when a trio loop was held up, `pulse` is what health checks
feel, and `process` is what every entry point calls: options on the command line, then `begin`, then
`run`.
"""
