"""One module a claim: `python -m benchmarks.NAME [--short] [--json]`; without NAME, all of them."""
