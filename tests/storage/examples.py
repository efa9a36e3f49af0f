"""Hand-made records for the tests of the store."""

from storage.records import Expansion, Node, NodeStatus, Problem, Record, Round, Run, Search

RUN = Run("trial", {"rounds": 2}, 7, "0.1.0", 1000.0)
PROBLEM = Problem("p1", "trial", "What is 6 * 7?", "42", "arithmetic", "easy", "hand")
ROUND = Round("trial", 1, "searching", "policy-0", None, {"rollouts": 4}, 1001.0)
SEARCH = Search("s1", "trial", 1, "p1", "train", 3, "policy-0")
BASICS: tuple[Record, ...] = (RUN, PROBLEM, ROUND, SEARCH)


def node(
    path: str,
    status: NodeStatus = "live",
    *,
    search_id: str = "s1",
    expansion: int = 1,
    text: str | None = None,
    observation: str = "",
    correct: bool | None = None,
    answer: str = "",
    visits: int = 0,
    value_sum: float = 0.0,
    exec_status: str = "",
    cpu_seconds: float = 0.0,
) -> Node:
    return Node(
        search_id,
        path,
        expansion,
        path.count("."),
        f"<{path}>" if text is None else text,
        observation,
        (1, 2, 3),
        (),
        status,
        correct=correct,
        answer=answer,
        visits=visits,
        value_sum=value_sum,
        exec_status=exec_status,
        cpu_seconds=cpu_seconds,
        created_at=1002.0,
    )


def tree(search_id: str = "s1") -> list[Record]:
    """Two expansions: 0 → 0.1, 0.2, 0.3; 0.1 → 0.1.1 (right), 0.1.2 (wrong)."""

    def made(path: str, status: NodeStatus = "live", **facts: object) -> Node:
        return node(path, status, search_id=search_id, **facts)  # type: ignore[arg-type]

    return [
        made("0", "root", expansion=0, text=""),
        made("0.1", visits=2, value_sum=1.0, exec_status="ok", cpu_seconds=0.01),
        made("0.2", visits=0, exec_status="ok"),  # a twin of the one before
        made("0.3", "code_error", exec_status="exception"),
        made(
            "0.1.1",
            "answer",
            expansion=2,
            correct=True,
            answer="42",
            visits=1,
            value_sum=1.0,
            observation="!",
            exec_status="ok",
            cpu_seconds=0.02,
        ),
        made("0.1.2", "answer", expansion=2, correct=False, answer="41", visits=1, value_sum=-1.0),
        Expansion(search_id, 1, "0", 5, 4, 3, 100, 10, 20, 30, 0.5, 0.25, 0.0, 0, 0, 1002.0),
        Expansion(search_id, 2, "0.1", 6, 4, 2, 130, 90, 100, 40, 0.5, 0.25, 0.0, 0, 0, 1003.0),
    ]
