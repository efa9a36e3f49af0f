"""The prompts of programming problems; a trained policy gets those of mathematics."""

from rstar_async.text.prompts import Prompts

_INSTRUCTIONS = """\
You write Python functions, one small step at a time.
Rules:
1. A solution is one program between <code> and <end_of_code>, cut into steps.
2. Each step is a short comment and complete code: imports, a helper, or the function that is \
asked for. It must run without an error after the steps before it.
3. End each step with <end_of_step>, and the last one, which defines the function asked for, \
with <end_of_code>.
4. Print nothing, and do not call the function at the end.
"""

_EXAMPLES = (
    """\
Question: Write a function to find the words of a sentence that are longer than n, in alphabetical \
order.
The function is `long_words`.
Example: assert long_words("one three", 3) == ["three"]
<code>
# Step 1: A helper that cuts a sentence into words without punctuation
def words_of(sentence):
    return [word.strip(".,;:!?") for word in sentence.split()]
<end_of_step>
# Step 2: Keep the long words and sort them
def long_words(sentence, n):
    return sorted(word for word in words_of(sentence) if len(word) > n)
<end_of_code>
""",
    '''\
Question: from typing import List

def running_maximum(numbers: List[int]) -> List[int]:
    """ For each position, the greatest number up to there.
    >>> running_maximum([1, 3, 2])
    [1, 3, 3]
    """
<code>
# Step 1: The imports
from itertools import accumulate
from typing import List
<end_of_step>
# Step 2: Accumulate with max
def running_maximum(numbers: List[int]) -> List[int]:
    return list(accumulate(numbers, max))
<end_of_code>
''',
)

PROGRAMMING_PROMPTS = Prompts(
    few_shot_prefix="\n".join(
        (_INSTRUCTIONS, "Two solved examples:", *_EXAMPLES, "Now solve this one.\nQuestion: ")
    )
)
