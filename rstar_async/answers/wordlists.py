"""Closed lists of words that decide how the words of an answer are read."""


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


JOINERS = words("and or mod in for if where when with otherwise")
"""Words after a value that are neither its unit nor a factor."""
STOPS = words("and or for where when if with such mod in except excluding base")
"""Words that end a phrase."""
CONDITIONS = words("for where with if when as such")
FILLERS = words("all any every some the integer integers number numbers that is are")
TWO_LETTERS = words(
    "no on so or is it at an as in if of to up us we he me my by be do go ok hi am oh ad"
)
"""Words that are no products of two variables."""
COUNTERS = words(
    "个 人 名 只 头 本 支 枝 张 次 种 件 辆 棵 条 倍 页 双 组 排 位 瓶 箱 "
    "袋 台 套 间 层 步 题 道 点 "
    "岁 朵 枚 颗 把 艘 场 户 家 班 盒 对"
)
UNMARKED_PLURALS = words(
    "people men women children mice geese teeth fish sheep deer person pcs dice cattle staff crew"
)
NO_NOUNS = words(
    "always plus minus less this its is was has as us thus versus besides perhaps unless towards "
    "afterwards sometimes does yes odds evens halves others ones"
)
"""Words in -s that are no plurals, or change the number before them."""
MODIFIERS = words(
    "odd even least most below above negative positive point and or not no other before after ago "
    "past until from between over under about approximately almost nearly exactly to of in on at "
    "by with without for if when where mod modulo base remainder million billion thousand hundred "
    "dozen half quarter each plus minus only than as zero"
)
"""A noun with one of these is no unit: it changes the number before it."""
TAILS = words("left remaining total altogether each apiece")
"""Words after a unit that change nothing."""
