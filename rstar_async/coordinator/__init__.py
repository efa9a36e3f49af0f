"""The self-evolution loop: which problems, which models, when a round is complete."""
