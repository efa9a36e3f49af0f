"""SGLang behind HTTP: token ids in, token ids out, weights exchanged in place.

`protocol.py` builds requests and reads answers; HTTP is `rstar_async/engines/sglang_client.py`.
`managed.py` and `attached.py` are the two ways to have a server (`deployment.py`), `base.py` makes
it serve the version that a job names, `engine.py` and `scorer.py` are the engines on top. The
server runs in another process, often in another environment: nothing of SGLang is imported here.
"""
