"""Measuring policies and searches on held-out problems."""
