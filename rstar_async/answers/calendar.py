"""Times of day and dates, read from tokens; what is no time or date gives None."""

import re

from rstar_async.answers.tokens import Cursor
from rstar_async.answers.tree import Date, Time
from rstar_async.answers.wordlists import words

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DAYS = words("monday tuesday wednesday thursday friday saturday sunday")
_ABBREVIATIONS = {month[:3]: number for number, month in enumerate(_MONTHS, 1)} | {"sept": 9}
_NUMBERS = {month: number for number, month in enumerate(_MONTHS, 1)} | _ABBREVIATIONS
_ORDINAL_ENDINGS = ("st", "nd", "rd", "th")


def read_time(cursor: Cursor) -> Time | None:
    """`12:30 PM`, `5 pm`, `4:30p`, `17:00:05`; a bare `12:30` may be a ratio and is left."""
    start, numbers = cursor.position, list[int]()
    while cursor.next_kind == "number" and len(numbers) < 3:
        text = cursor.take().text
        if not re.fullmatch(r"\d\d?" if not numbers else r"\d\d", text):
            break
        numbers.append(int(text))
        if cursor.next != ":":
            break
        cursor.take()
    half = _half(cursor, is_time=len(numbers) > 1)
    fits = bool(numbers) and numbers[0] <= 24 and all(part < 60 for part in numbers[1:])
    if not fits or not half or (half != "?" and numbers[0] > 12):
        cursor.position = start
        return None
    hours, minutes, seconds = [*numbers, 0, 0][:3]
    return Time(hours % 12 * 3600 + minutes * 60 + seconds, half)


def _half(cursor: Cursor, is_time: bool) -> str:
    word = cursor.next.lower()
    if cursor.next_kind not in ("word", "text"):
        return ""
    if word in ("am", "pm", "noon"):
        cursor.take()
        return "pm" if word == "noon" else word
    if is_time and word in ("a", "p") and _only_dots(cursor):
        return word + "m"
    return ""


def _only_dots(cursor: Cursor) -> bool:
    cursor.take()
    while cursor.accept("."):
        pass
    return cursor.next_kind == "finish"


def read_date(cursor: Cursor) -> Date | None:
    """`June 20`, `20th of June, 2021`, `Monday, June 20`, `2021-06-20`."""
    start = cursor.position
    date = _numeric_date(cursor) or _slashed_date(cursor) or _named_date(cursor)
    if date is None:
        cursor.position = start
    return date


def _numeric_date(cursor: Cursor) -> Date | None:
    parts = [cursor.ahead(offset).text for offset in range(5)]
    year, one, month, two, day = parts
    if one != "-" or two != "-" or not all(p.isdigit() for p in (year, month, day)):
        return None
    if len(year) != 4 or len(month) > 2 or len(day) > 2:
        return None
    cursor.position += 5
    return Date(int(year), int(month), int(day), "")


def _slashed_date(cursor: Cursor) -> Date | None:
    """`6/20/2021`, where only one of the two can be the month."""
    parts = [cursor.ahead(offset).text for offset in range(5)]
    if parts[1] != "/" or parts[3] != "/" or not all(part.isdigit() for part in parts[::2]):
        return None
    one, two, year = map(int, parts[::2])
    if len(parts[4]) != 4 or (one > 12) == (two > 12) or max(one, two) > 31:
        return None
    cursor.position += 5
    return Date(year, min(one, two), max(one, two), "")


def _named_date(cursor: Cursor) -> Date | None:
    weekday = ""
    if cursor.next.lower() in _DAYS and cursor.ahead(1).kind != "finish":
        weekday = cursor.take().text.lower()
        cursor.accept(",")
    month, day = _month(cursor), _day(cursor)
    if not month and day:
        if cursor.next.lower() == "of":
            cursor.take()
        month = _month(cursor)
    if not (month and day and 1 <= day <= 31):
        return None
    return Date(_year(cursor), month, day, weekday)


def _month(cursor: Cursor) -> int:
    if cursor.next_kind not in ("word", "text") or cursor.next.lower() not in _NUMBERS:
        return 0
    month = _NUMBERS[cursor.take().text.lower()]
    cursor.accept(".")
    return month


def _day(cursor: Cursor) -> int:
    if cursor.next.lower() == "the":
        cursor.take()
    if cursor.next_kind != "number" or not re.fullmatch(r"\d\d?", cursor.next):
        return 0
    day = int(cursor.take().text)
    if cursor.next.lower() in _ORDINAL_ENDINGS:
        cursor.take()
    return day


def _year(cursor: Cursor) -> int:
    offset = 1 if cursor.next == "," else 0
    text = cursor.ahead(offset).text
    if not re.fullmatch(r"\d{4}", text):
        return 0
    cursor.position += offset + 1
    return int(text)
