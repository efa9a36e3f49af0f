"""Kinds of problems: what the model reads, what a step is, and when a solution is right.

`base.Domain` is the seam; `math` is the one that rStar-Math is about. `registry.domain_of` finds
the domain that a recipe names, in this package or in another that declares it.
"""
