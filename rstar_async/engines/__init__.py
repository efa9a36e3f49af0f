"""What the rest of a run knows of engines: their registry, their errors, SGLang's HTTP interface.

The engines themselves live under `workers/engines/` or in packages outside.
"""
