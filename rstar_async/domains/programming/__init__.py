"""Programming problems: write a function that passes tests. Stored form: see `problem`."""

from rstar_async.domains.programming.domain import ProgrammingDomain
from rstar_async.domains.programming.readers import given_tests

__all__ = ["ProgrammingDomain", "given_tests"]
