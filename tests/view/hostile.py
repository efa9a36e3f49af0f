"""What a model, a program or a data set might write to break out of the page that shows it."""

from storage.records import ModelVersion, Node, Pair, Problem, Record, Search
from tests.view.generated import RUN

SCRIPT = "</script><script>document.title='broken'</script>"
IMAGE = "<img src=x onerror=\"document.title='broken'\">"
LINK = "javascript:document.title='broken'"
ENTITY = "&lt;b&gt; &amp; \"quotes\" 'and' `ticks` ${document.title='broken'}"
STYLE = "<style>*{display:none}</style></pre></main>"
ODD = "null\x00 bell\x07 half\ud800 turned\u202eback"
ALL = "\n".join((SCRIPT, IMAGE, LINK, ENTITY, STYLE, ODD))
ID = "hostile"


def hostile_records() -> list[Record]:
    """A search whose every text is hostile, with a pair and a model to match."""
    problem = Problem("hostile-p", RUN, ALL, IMAGE, IMAGE, SCRIPT, IMAGE)
    search = Search(
        ID, RUN, 2, problem.id, "train", 1, IMAGE, LINK, "finished", 1, 1, "", True, IMAGE
    )
    model = ModelVersion(
        IMAGE, RUN, "ppm", 1, LINK, SCRIPT, "refused", ALL, {IMAGE: ALL}, {IMAGE: ALL}
    )
    worst = {"search": ID, "chosen": "0.1.1", "rejected": "0.2", "chosen_score": 0.0}
    guide = ModelVersion(
        f"{IMAGE} 2", RUN, "ppm", 2, LINK, SCRIPT, "published", ALL,
        {"worst_pairs": [{**worst, "rejected_score": 1.0}, {"search": ALL}, ALL]}, {IMAGE: ALL},
    )  # fmt: skip
    return [
        problem, search, model, guide, _node("0", "root"), _node("0.1", "live"),
        _node("0.1.1", "answer", True), _node("0.1.2", "answer", False), _node("0.2", "code_error"),
        Pair(RUN, 2, ID, "0.1.1", "0.1.2", "step"),
    ]  # fmt: skip


def _node(path: str, status: str, correct: bool | None = None) -> Node:
    expansion = path.count(".")
    return Node(
        ID, path, expansion, expansion, ALL, ALL, (), (), status,  # type: ignore[arg-type]
        SCRIPT, IMAGE, correct, 1, 0.5, 0.5, 1, 1.0, IMAGE, LINK, 2**62, "ok", ALL, ALL,
    )  # fmt: skip
