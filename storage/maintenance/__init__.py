"""Checking, pruning, exporting and importing a store: the actions of `rstar db`.

A run needs nothing of it.
"""
