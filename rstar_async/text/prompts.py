"""The two prompts: the trained policy's, and the few-shot one for a model new to the format.

Few-shot examples come in a fixed order, so that every tree shares one cached prefix.
"""

from dataclasses import dataclass

from rstar_async.text import tags

QUESTION_PREFIX = f"{tags.USER}:\n"
QUESTION_SUFFIX = f"\n{tags.ASSISTANT}: Let's think step by step and solve the problem with code."

_INSTRUCTIONS = """\
You solve mathematics problems by writing Python, one small step at a time.
Rules:
1. A solution has three parts: <code>, <output> and <answer>.
2. Reason in short comments; leave every calculation to Python. Use math, sympy, scipy or numpy.
3. End each step with <end_of_step>. Every step must run without an error after the ones before it.
4. The last step prints the result under the comment "# Now print the final answer" and ends with \
<end_of_code>.
5. The interpreter writes <output>. Then answer in \\boxed{} and end with <end_of_answer>.
"""

_EXAMPLES = (
    """\
Question: Nina has 3 bags with 8 marbles each. She loses 5 marbles. How many marbles are left?
<code>
# Step 1: Nina has 3 bags with 8 marbles each
marbles = 3 * 8
<end_of_step>
# Step 2: She loses 5 marbles
marbles = marbles - 5
<end_of_step>
# Now print the final answer
print(marbles)
<end_of_code>
<output>19<end_of_output>
<answer>There are \\boxed{19} marbles left.<end_of_answer>
""",
    """\
Question: Find the positive solution of $3x^2 - x - 4 = 0$.
<code>
# Step 1: Set up the equation
from sympy import symbols, solve
x = symbols("x")
equation = 3*x**2 - x - 4
<end_of_step>
# Step 2: Solve it and keep the positive solution
positive = [s for s in solve(equation, x) if s > 0]
<end_of_step>
# Now print the final answer
print(positive[0])
<end_of_code>
<output>4/3<end_of_output>
<answer>The positive solution is \\boxed{\\frac{4}{3}}.<end_of_answer>
""",
)

FEW_SHOT_PREFIX = "\n".join(
    (_INSTRUCTIONS, "Two solved examples:", *_EXAMPLES, "Now solve this one.\nQuestion: ")
)
FEW_SHOT_SUFFIX = "\n"
# Left to itself, Qwen2.5-Coder-1.5B often writes an empty step, <code> and at once <end_of_step>.
FEW_SHOT_OPENING = f"{tags.CODE}\n#"


@dataclass(frozen=True, slots=True)
class Prompts:
    """The text around a question: for a trained policy, and few-shot for a model that is new to the
    format, whose solutions begin with `few_shot_opening`."""

    question_prefix: str = QUESTION_PREFIX
    question_suffix: str = QUESTION_SUFFIX
    few_shot_prefix: str = FEW_SHOT_PREFIX
    few_shot_suffix: str = FEW_SHOT_SUFFIX
    few_shot_opening: str = FEW_SHOT_OPENING

    def around(self, question: str) -> str:
        """The prompt of a trained policy, as text."""
        return f"{self.question_prefix}{question}{self.question_suffix}"


MATH_PROMPTS = Prompts()
