"""Starts the processes of one machine, restarts what dies, and leaves nothing behind.

`processes` says what to start (pure), `child` starts and ends one of them, `patience` says when to
try again (pure), `supervisor` keeps them all running, `run` is the whole: `launch(recipe) -> int`.
Nothing here speaks to the processes it starts: they are reached by command line and by signals.
"""
