"""Checks that the sandbox holds: attacks at start-up, a corpus of programs, random system calls."""
