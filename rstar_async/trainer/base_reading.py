"""What transformers raises for a bad model folder, as a `BadInput` of one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from rstar_async.errors import BadInput
from rstar_async.models.sources import Source

LONGEST = 400


@contextmanager
def reading(source: Source, action: str = "load") -> Iterator[None]:
    """A model folder is input, whatever it makes the libraries raise: a base that fails to load
    fails again after a restart."""
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except Exception as error:  # any of a dozen libraries' own exceptions
        raise BadInput(f"model.base: cannot {action} {source}: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """The whole message in one line; the name of its class if it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
