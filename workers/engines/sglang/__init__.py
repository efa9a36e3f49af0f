"""SGLang behind HTTP: token ids in, token ids out, weights exchanged in place.

`server.py` speaks HTTP, `protocol.py` is what is said. `managed.py` and `attached.py` are the two
ways to have a server. `serving.py` makes it serve the version that a job names; `engine.py` and
`scorer.py` are the two engines on top. The server runs in another process, often in another
environment: nothing of SGLang is imported here.
"""
