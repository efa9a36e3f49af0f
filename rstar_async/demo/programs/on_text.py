"""Operations on a text."""

from rstar_async.demo.programs.operation import Operation, Type

TEXT: Type = "text"


def _to_text(body: str, plain: str, *new: str, n: range = range(5, 12)) -> Operation:
    return Operation(TEXT, TEXT, body, plain, new, n)


ON_TEXT = (
    _to_text('$v.replace("$c", "")', 'Remove each "$c".', 'Erase each "$c".'),
    _to_text('$v.replace("$c", "$c$c")', 'Double each "$c".', 'Duplicate each "$c".'),
    _to_text('$v.replace("$c", "$d")', 'Replace each "$c" by "$d".'),
    _to_text('"".join(x for x in $v if x in "aeiou")', "Keep the vowels."),
    _to_text('"".join(x for x in $v if x not in "aeiou")', "Remove the vowels."),
    _to_text("$v.upper()", "Write it in capitals."),
    _to_text("$v[::-1]", "Reverse it.", "Mirror it."),
    _to_text('"".join(sorted($v))', "Sort the letters."),
    _to_text("$v[:$n]", "Take the first $n letters.", "Take the leading $n letters."),
    _to_text("$v[-$n:]", "Take the last $n letters.", "Take the trailing $n letters."),
    _to_text("$v[$n:]", "Skip the first $n letters.", n=range(2, 6)),
    Operation(TEXT, "words", "$v.split()", "Split it into words."),
    Operation(TEXT, "number", '$v.count("$c")', 'Count each "$c".'),
    Operation(TEXT, "number", "len($v)", "Count the letters."),
)
