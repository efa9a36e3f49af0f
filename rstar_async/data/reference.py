"""The reference code's trees: a record per tree, `{question, answer, "rstar": {tag: node}}`. Pure.

Its nodes hold text and interpreter's output together, and mark failed leaves by fixed sentences in
`final_answer`. It has no fields for tokens, seeds and costs: writing drops them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from rstar_async.errors import BadInput
from rstar_async.sanitize import shown, without_surrogates
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


MOST_VISITS = 1_000_000_000
TOLERANCE = 1e-6
_TAG = re.compile(r"0(\.(0|[1-9][0-9]{0,5}))*")


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

    As in the reference, an answer's Q says whether it is right: +1 right, -1 wrong. The priors are
    what the nodes have beyond what their children passed up.
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
    passed = passed_up(nodes.values())
    return [_numbered(_with_prior(n, tree[n.path], passed), order) for n in nodes.values()]


def passed_up(nodes: Iterable[Node]) -> dict[str, tuple[int, float]]:
    """The visits and values that each node got from its children (see `search.tree`): an answer
    passes all it has, a live node what it got itself, a failed step nothing."""
    got: dict[str, tuple[int, float]] = {}
    for node in sorted(nodes, key=lambda node: -node.depth):
        own = (node.visits, node.value_sum) if node.status == "answer" else got.get(node.path)
        if own and node.depth:
            parent = node.path.rpartition(".")[0]
            visits, value = got.get(parent, (0, 0.0))
            got[parent] = (visits + own[0], value + own[1])
    return got


def adds_up(nodes: Iterable[Node]) -> bool:
    """Whether every node that can have children has N and W of its prior and its children."""
    every = list(nodes)
    passed = passed_up(every)
    for node in every:
        if node.status in ("root", "live"):
            visits, value = passed.get(node.path, (0, 0.0))
            own = node.value_sum - value - (node.prior or 0.0)
            if node.visits != visits + (node.prior is not None) or abs(own) > TOLERANCE:
                return False
    return True


def _with_prior(node: Node, entry: Mapping[str, Any], passed: Mapping[str, Any]) -> Node:
    visits, value = passed.get(node.path, (0, 0.0))
    prior = node.value_sum - value
    if node.status != "live" or node.visits != visits + 1 or not -1 <= round(prior, 6) <= 1:
        return node
    told = entry.get("value")
    exact = isinstance(told, float) and abs(told - prior) < TOLERANCE
    return structs.replace(node, prior=told if exact else prior)


def _numbers_of(path: str, where: str) -> tuple[int, ...]:
    if not _TAG.fullmatch(path):
        raise BadInput(f"{where}: {shown(path)} is no tag of a node, such as 0.1.3")
    return tuple(map(int, path.split(".")))


def _numbered(node: Node, order: Mapping[str, int]) -> Node:
    """With its expansion number: that of its parent among the nodes with children, in order."""
    return structs.replace(node, expansion=order.get(node.path.rpartition(".")[0], 0))


def _node(entry: Any, path: str, search_id: str, where: str) -> Node:
    if not isinstance(entry, dict):
        raise BadInput(f"{where}: not as the reference writes it: expected an object")
    text, observation = _split(_text(entry, "text", where))
    visits = int(_number(entry, "visit_count", 0, MOST_VISITS, where))
    q = _number(entry, "q_value", -1, 1, where)
    final = _text(entry, "final_answer", where)
    output = _text({"observation": "", **entry}, "observation", where)
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


def _text(entry: Mapping[str, Any], name: str, where: str) -> str:
    """A text; "" for null."""
    value = entry.get(name, 0)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(f"{where}: not as the reference writes it: {name} must be a text")
    return without_surrogates(value)


def _number(entry: Mapping[str, Any], name: str, least: int, most: int, where: str) -> float:
    """A number from `least` to `most`."""
    value: Any = entry.get(name)
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not least <= value <= most or (most > 1 and value != int(value)):
        raise BadInput(
            f"{where}: not as the reference writes it: {name} must be a number from {least} to "
            f"{most:,}, not {value!r:.40}"
        )
    return float(value)


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
