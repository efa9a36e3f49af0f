"""What keeps a store in good order: is it sound, what may go, and all of it in files.

Nothing here is needed to run; the verbs of `rstar db` are its only callers.
"""
