"""What only a card can tell, in one command: `python -m benchmarks.gpu`."""
