"""The process that trains a searched round's models. Besides it, only the local engine and the demo
import torch."""
