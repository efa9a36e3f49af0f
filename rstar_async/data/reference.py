"""The reference code's trees: a record per tree, `{question, answer, "rstar": {tag: node}}`. Pure.

Its nodes hold text and interpreter's output together, and mark failed leaves by fixed sentences in
`final_answer`. It has no fields for tokens, seeds and costs: writing drops them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from rstar_async.errors import BadInput
from rstar_async.text import tags
from storage.records import Node, NodeStatus

TREE = "rstar"
QUESTION = "question: "
INTERPRETER = "python_interpreter"
TOO_MANY_CODE_ERRORS = "Too many consecutive steps have code errors."
TOO_MANY_STEPS = "Fail to sove the problem within limited steps."  # as the reference spells it
NO_VALID_CHILD = "Fail to generate parsable text for next step."
_FAILURES: dict[NodeStatus, str] = {
    "code_error": TOO_MANY_CODE_ERRORS,
    "too_deep": TOO_MANY_STEPS,
    "too_long": TOO_MANY_STEPS,
    "unfinished": NO_VALID_CHILD,
    "malformed": NO_VALID_CHILD,
}
_STATUSES: dict[str, NodeStatus] = {
    TOO_MANY_CODE_ERRORS: "code_error",
    TOO_MANY_STEPS: "too_deep",
    NO_VALID_CHILD: "unfinished",
}


def tree_record(question: str, answer: str, nodes: Iterable[Node]) -> dict[str, Any]:
    """The record of one tree."""
    tree = {node.path: _entry(node, question) for node in nodes}
    return {"question": question, "answer": answer, TREE: tree}


def _entry(node: Node, question: str) -> dict[str, Any]:
    executed = bool(node.exec_status) or node.status == "live"
    q = node.value_sum / node.visits if node.visits else 0.0
    entry: dict[str, Any] = {
        "text": node.text + _observation(node),
        "extra_info": QUESTION + question if node.path == "0" else "",
        "action": INTERPRETER if executed else "",
        "action_input": node.text if executed else "",
        "final_answer": _final_answer(node),
        "value": q if node.prior is None else node.prior,
        "q_value": q,
        "visit_count": node.visits,
    }
    if executed:
        entry["observation"] = node.exec_error or node.stdout
    return entry


def _final_answer(node: Node) -> str:
    """Empty only for nodes that can be expanded; the reference has no answers without a box."""
    if node.status == "answer":
        return node.answer or NO_VALID_CHILD
    return _FAILURES.get(node.status, "")


def _observation(node: Node) -> str:
    """The reference appends the error to the text of a failed step."""
    if node.status != "code_error":
        return node.observation
    end = "" if tags.END_OF_CODE in node.text else tags.END_OF_CODE
    return f"{end}\n{tags.OUTPUT}{node.exec_error}{tags.END_OF_OUTPUT}"


def nodes_of_record(record: Mapping[str, Any], search_id: str, where: str) -> list[Node]:
    """The nodes of a record, parents before children; `BadInput` if it is no tree.

    As in the reference, an answer's Q says whether it is right: +1 right, -1 wrong.
    """
    tree = record.get(TREE)
    if not isinstance(tree, dict) or not isinstance(tree.get("0"), dict):
        raise BadInput(f'{where}: no tree with a root "0" under {TREE!r}')
    numbers = {path: _numbers_of(path, where) for path in tree}
    nodes: dict[str, Node] = {}
    for path in sorted(tree, key=lambda path: (len(numbers[path]), numbers[path])):
        parent = path.rpartition(".")[0]
        if parent and parent not in nodes:
            raise BadInput(f"{where}: node {path} has no parent {parent}")
        nodes[path] = _node(tree[path], path, search_id, f"{where}, node {path}")
    parents = {path.rpartition(".")[0] for path in tree}
    order = {path: n for n, path in enumerate((p for p in nodes if p in parents), start=1)}
    return [_numbered(node, order) for node in nodes.values()]


def _numbers_of(path: str, where: str) -> tuple[int, ...]:
    parts = path.split(".")
    if parts[0] != "0" or not all(part.isdecimal() for part in parts):
        raise BadInput(f"{where}: {path!r} is no tag of a node, such as 0.1.3")
    return tuple(map(int, parts))


def _numbered(node: Node, order: Mapping[str, int]) -> Node:
    """With its expansion number: that of its parent among the nodes with children, in order."""
    return structs.replace(node, expansion=order.get(node.path.rpartition(".")[0], 0))


def _node(entry: Any, path: str, search_id: str, where: str) -> Node:
    try:
        text, observation = _split(str(entry["text"]))
        visits, q = int(entry["visit_count"]), float(entry["q_value"])
        final = str(entry["final_answer"])
        output = str(entry.get("observation", ""))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{where}: not as the reference writes it: {error!r}") from None
    status = _status(path, final)
    failed = status == "code_error"
    return Node(
        search_id=search_id,
        path=path,
        expansion=0,
        depth=path.count("."),
        text=_own_text(text) if failed else text,
        observation="" if failed else observation,
        tokens=(),
        observation_tokens=(),
        status=status,
        finish="stop",
        answer=final if status == "answer" else "",
        correct={1.0: True, -1.0: False}.get(q) if status == "answer" else None,
        visits=visits,
        value_sum=visits * q,
        policy_id="imported",
        exec_status=("exception" if failed else "ok") if entry.get("action") else "",
        exec_error=output if failed else "",
        stdout="" if failed else output,
    )


def _status(path: str, final_answer: str) -> NodeStatus:
    if path == "0":
        return "root"
    return _STATUSES.get(final_answer, "answer") if final_answer else "live"


def _split(text: str) -> tuple[str, str]:
    """The text that the model wrote, and the output that the executor appended."""
    start = text.rfind(f"\n{tags.OUTPUT}")
    if start < 0 or not text.endswith(tags.END_OF_OUTPUT):
        return text, ""
    return text[:start], text[start:]


def _own_text(text: str) -> str:
    """Without the end of code that the reference appends to a failed step."""
    ends = f"{tags.END_OF_STEP}{tags.END_OF_CODE}"
    return text.removesuffix(tags.END_OF_CODE) if text.endswith(ends) else text
