"""Whole runs of a recipe, each beside runs that learn from something else."""
