"""Problems from a source of your own, in one session: `python examples/custom_problems.py`.

A run reads them from a file, one JSON object a line: `rstar run --model MODEL --problems FILE`.
"""

from collections.abc import Iterator

import trio

import rstar_async


def problems() -> Iterator[tuple[str, str]]:
    """Questions with their answers; any source will do."""
    for had, bought in ((12, 5), (7, 9)):
        question = f"1) Ada has {had} coins. 2) She buys {bought} coins. 3) How many has Ada now?"
        yield question, str(had + bought)


async def main() -> None:
    async with rstar_async.open_session("demo", rollouts=4, candidates=4) as session:
        for question, answer in problems():
            result = await session.search(question, answer=answer)
            print(f"{question}  {result.answer or 'no answer'}, right: {result.is_correct}")


if __name__ == "__main__":
    trio.run(main)
