"""What a recipe will take before it is run: sizes of models, memory, disk, tokens and hours.

`model_size` reads how large a model is, `memory` and `work` are arithmetic, `provenance` says where
each setting comes from, and `choosing` makes the page of the documentation from this arithmetic.
"""
