"""Which GPUs each of several workers on one machine gets. Pure."""

from collections.abc import Sequence

VARIABLE = "CUDA_VISIBLE_DEVICES"


def devices_of(number: int, count: int, visible: Sequence[str]) -> list[str]:
    """The GPUs of worker `number` (1 is the first) of `count`.

    Equal shares next to each other, what is over going to the first workers; one each, in turn, if
    there are more workers than GPUs.
    """
    if count >= len(visible):
        return [visible[(number - 1) % len(visible)]] if visible else []
    each, over = divmod(len(visible), count)
    first = (number - 1) * each + min(number - 1, over)
    return list(visible[first : first + each + (number <= over)])
