"""Operations on lists of words, and on the groups and counts that are made of them."""

from rstar_async.demo.programs.operation import Operation, Type

WORDS: Type = "words"

_GROUPED = "groups = {{}}\nfor x in $v: groups.setdefault({key}, []).append(x)\nreturn groups"
_COUNTED = "counts = {}\nfor x in $v: counts[x] = counts.get(x, 0) + 1\nreturn counts"


def _to_words(body: str, plain: str, *new: str, n: range = range(2, 5)) -> Operation:
    return Operation(WORDS, WORDS, body, plain, new, n)


def _to(gives: Type, body: str, plain: str, *new: str) -> Operation:
    return Operation(WORDS, gives, body, plain, new)


ON_WORDS = (
    _to_words(
        "[x for x in $v if len(x) > $n]",
        "Keep the words longer than $n.",
        "Keep the words above $n.",
        n=range(3, 6),
    ),
    _to_words(
        "[x for x in $v if len(x) < $n]",
        "Keep the words shorter than $n.",
        "Keep the words below $n.",
        n=range(4, 7),
    ),
    _to_words(
        '[x for x in $v if x.startswith("$c")]',
        'Keep the words that start with "$c".',
    ),
    _to_words(
        '[x for x in $v if x.endswith("$c")]',
        'Keep the words that end with "$c".',
    ),
    _to_words(
        '[x for x in $v if "$c" in x]',
        'Keep the words that contain "$c".',
    ),
    _to_words("[x.upper() for x in $v]", "Write each word in capitals."),
    _to_words("[x[::-1] for x in $v]", "Reverse each word.", "Mirror each word."),
    _to_words('[x + "$c" for x in $v]', 'Add "$c" after each word.'),
    _to_words('["$c" + x for x in $v]', 'Add "$c" before each word.'),
    _to_words("sorted($v)", "Sort the words by alphabet."),
    _to_words("sorted($v, key=len)", "Sort the words by length."),
    _to_words("$v[::-1]", "Reverse the words.", "Mirror the words."),
    _to_words("list(dict.fromkeys($v))", "Remove repeated words."),
    _to_words("$v[:$n]", "Take the first $n words.", "Take the leading $n words."),
    _to_words("$v[-$n:]", "Take the last $n words.", "Take the trailing $n words."),
    _to_words("$v[$n:]", "Skip the first $n words.", n=range(1, 3)),
    _to("numbers", "[len(x) for x in $v]", "Take the length of each word."),
    _to("text", '"$c".join($v)', 'Join the words with "$c".'),
    _to("text", 'max($v, key=len, default="")', "Take the longest word."),
    _to("text", 'min($v, key=len, default="")', "Take the shortest word."),
    _to("number", "len($v)", "Count the words."),
    _to("counts", _COUNTED, "Count how often each word occurs."),
    _to(
        "groups",
        _GROUPED.format(key="x[0]"),
        "Group the words by first letter.",
    ),
    _to(
        "groups",
        _GROUPED.format(key="len(x)"),
        "Group the words by length.",
    ),
    Operation(
        "groups", "counts", "{x: len(g) for x, g in $v.items()}", "Count the words of each group."
    ),
    Operation("groups", "number", "len($v)", "Count the groups."),
    Operation(
        "counts",
        "number",
        "max($v.values(), default=0)",
        "Compute the maximum count.",
        ("Compute the peak count.",),
    ),
    Operation(
        "counts",
        "number",
        "min($v.values(), default=0)",
        "Compute the minimum count.",
        ("Compute the bottom count.",),
    ),
)
