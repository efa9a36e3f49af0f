"""What the function of a task is called with, and what it returns."""

from dataclasses import dataclass

ENTRY_POINT = "solve"


@dataclass(frozen=True)
class Case:
    """An argument of the function and what it returns for it."""

    argument: object
    result: object

    @property
    def call(self) -> str:
        return f"{ENTRY_POINT}({source_of(self.argument)})"

    @property
    def test(self) -> str:
        return f"assert {self.call} == {source_of(self.result)}"


def source_of(value: object) -> str:
    """The value as Python, its strings in double quotation marks as in the sentences."""
    return repr(value).replace("'", '"')
