"""Is an answer right? Extraction plus three-valued equivalence."""

from rstar_async.answers.checker import Checker
from rstar_async.answers.extract import extract_answer


class Judge:
    """Compares answers with the gold answer; "undecided" is None and is never trained on."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    async def verdict(self, gold: str, text: str) -> tuple[str | None, bool | None]:
        """The answer found in an answer step, and whether it equals `gold`."""
        answer = extract_answer(text)
        if answer is None:
            return None, False
        verdict = await self._checker.equal(gold, answer)
        return answer, None if verdict == "undecided" else verdict == "equal"
