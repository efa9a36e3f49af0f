"""The process that turns a searched round into better models. The only room besides the local
engine and the demo that knows torch."""
