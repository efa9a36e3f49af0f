"""Exceptions as their catchers expect them, when a nursery has wrapped them."""


def single(error: BaseException) -> BaseException:
    """Return the one error inside nested groups, or `error` itself if there are several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def first(error: BaseException) -> BaseException:
    """Return one of the errors inside nested groups: the one that comes first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
