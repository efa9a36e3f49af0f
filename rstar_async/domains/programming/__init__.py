"""Programming problems: write a function that passes tests. Stored form: see `problem`."""

from rstar_async.domains.programming.domain import ProgrammingDomain

__all__ = ["ProgrammingDomain"]
