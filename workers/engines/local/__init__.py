"""The local engine: transformers in the worker process, with continuous batching."""
