"""Starts the processes of one machine, restarts those that die, and leaves none behind.

`processes` lists what to start (pure), `child` starts and ends one process, `backoff` decides when
to restart it (pure), `supervisor` keeps all of them running, and `run` does the whole:
`launch(recipe) -> int`. Processes are reached by command line and signals only.
"""
