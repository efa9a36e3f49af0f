"""The gold solution of a task in the trajectory format."""

from collections.abc import Sequence

from rstar_async.demo.programs.cases import ENTRY_POINT, Case, source_of
from rstar_async.demo.programs.operation import Applied, define
from rstar_async.text import tags


def solution_text(sentences: Sequence[str], story: Sequence[Applied | str], example: Case) -> str:
    """A function for every sentence that asks for something, each tried on the example."""
    first, *middle, last = sentences
    newest = "f1"
    steps = [f"# {first}\n{define(newest, 'v')}\nexample = {source_of(example.argument)}"]
    for number, (sentence, part) in enumerate(zip(middle, story, strict=True), start=2):
        if isinstance(part, str):
            steps.append(f"# {sentence}")
            continue
        name = f"f{number}"
        steps.append(f"# {sentence}\n{part.function(name, f'{newest}(v)')}\n{name}(example)")
        newest = name
    last_step = f"# {last}\n{define(ENTRY_POINT, f'{newest}(v)')}\nprint({ENTRY_POINT}(example))"
    body = "".join(f"{step}\n{tags.END_OF_STEP}\n" for step in steps)
    return f"{tags.CODE}\n{body}{last_step}\n{tags.END_OF_CODE}"
