"""Errors taken out of the exception groups that nurseries wrap them in."""


def single(error: BaseException) -> BaseException:
    """Return the one error inside nested groups, or `error` itself if there are several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def first(error: BaseException) -> BaseException:
    """Return the first error inside nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
