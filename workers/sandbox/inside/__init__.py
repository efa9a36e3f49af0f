"""What runs on the other side of the wall: the guard, the zygote and its nodes.

Stdlib only, and nothing of ours from outside this folder: it is put on `sys.path` of a bare
interpreter as the package `inside`, imported, and forgotten again before any user code runs.
"""
