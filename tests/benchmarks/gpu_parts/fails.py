"""A part that fails after its first figure."""

from rstar_async.errors import RstarError


def measure(place, findings):
    findings.note("before", 1.0)
    raise ExceptionGroup("of a nursery", [RstarError("the server has gone")])
