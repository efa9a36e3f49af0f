"""The code of the confined processes: the guard, the zygote and its nodes.

Stdlib only, and no other package of this project: this folder is put on `sys.path` of a bare
interpreter as the package `inside`, imported, and removed again before any user code runs.
"""
