"""Stores of any size with the shape of a real run: `python -m tests.view.generated FILE NODES`.

Trees grow as a search grows them: a walk down, an expansion of up to eight steps, values backed up.
Everything follows from the seed, so figures measured on such a store can be measured again.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from storage import queries
from storage.database import Database, open_database
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    Expansion,
    ModelKind,
    ModelVersion,
    Node,
    Pair,
    Problem,
    Record,
    Round,
    RoundStatus,
    Run,
    Search,
)

RUN = "generated"
ROUNDS = 4
START = 1_790_000_000.0
KINDS = ("ages", "divisors", "equations", "rates", "story")
STEPS = (
    "# Count the pens that are left after the sale.\nleft = {a} - {b}\ntotal = left * {c}",
    "# Let x be the price and solve for it.\nx = symbols('x')\nroots = solve({a}*x - {b}, x)",
    "# Every third box is left out.\nkept = [n for n in range({a}) if n % 3]\nprint(len(kept))",
    "# The rate drops by {b} % each hour.\nrate = {a} * (1 - {b} / 100) ** {c}\nprint(rate)",
    "# Divide by the common divisor.\nimport math\ng = math.gcd({a}, {b})\nprint({a} // g)",
)


class Growth:
    """One tree while it grows; `statistics` are those of the moment."""

    def __init__(self, search_id: str, seed: int, skill: float, guided: bool) -> None:
        self.search_id = search_id
        self.random = random.Random(f"{search_id}-{seed}")
        self.skill, self.guided = skill, guided
        self.nodes: dict[str, dict[str, object]] = {"0": self._node("0", 0, "root", "")}
        self.open = {"0": ["0"]}
        self.children: dict[str, list[str]] = {}
        self.expansions: list[Expansion] = []

    def expand(self) -> list[str]:
        """One expansion; returns the new paths, none if all is exhausted."""
        path = self._walk()
        if path in self.children:
            return []
        number = len(self.expansions) + 1
        kinds = [self._kind(path) for _ in range(self.random.randint(2, 8))]
        made = [f"{path}.{i}" for i in range(1, len(kinds) + 1)]
        for child, (status, correct) in zip(made, kinds, strict=True):
            self._add(child, number, status, correct)
        self.children[path] = made
        tokens = self.random.randint(120, 480)
        self.expansions.append(
            Expansion(
                self.search_id, number, path, number, 8, len(made), 600, 480, 520, tokens,
                0.8, 0.1, 0.05, created_at=START + number,
            )
        )  # fmt: skip
        return made

    def records(self, paths: list[str] | None = None) -> list[Node]:
        chosen = self.nodes if paths is None else paths
        return [Node(**self.nodes[path]) for path in chosen]  # type: ignore[arg-type]

    def _walk(self) -> str:
        path = "0"
        while path in self.children:
            live = [p for p in self.children[path] if self.nodes[p]["status"] == "live"]
            if not live:
                return self._any_leaf()
            first = self.random.random() < 0.6
            path = live[0] if first else self.random.choice(live)
        return path

    def _any_leaf(self) -> str:
        leaves = [p for p, n in self.nodes.items() if n["status"] == "live"]
        free = [p for p in leaves if p not in self.children]
        return self.random.choice(free) if free else "0"  # which then has children

    def _kind(self, parent: str) -> tuple[str, bool | None]:
        chance, depth = self.random.random(), parent.count(".") + 1
        if chance < 0.12:
            return "code_error", None
        if chance < 0.14:
            return "malformed", None
        if depth > 3 and chance < 0.16 + 0.06 * depth:
            return "answer", self.random.random() < self.skill
        return ("too_deep", None) if depth >= 14 else ("live", None)

    def _add(self, path: str, number: int, status: str, correct: bool | None) -> None:
        self.nodes[path] = self._node(path, number, status, self._text(path, status, correct))
        self.nodes[path]["correct"] = correct
        if status == "answer":
            self.nodes[path]["answer"] = "42" if correct else str(self.random.randint(1, 41))
            self._back_up(path, 1.0 if correct else -1.0)
        elif status != "live":
            self.nodes[path] |= {"visits": 1, "value_sum": -1.0}
        elif (prior := self.nodes[path]["prior"]) is not None:
            self.nodes[path] |= {"visits": 1, "value_sum": prior}

    def _back_up(self, path: str, value: float) -> None:
        while path:
            self.nodes[path]["visits"] += 1  # type: ignore[operator]
            self.nodes[path]["value_sum"] += value  # type: ignore[operator]
            path = path.rpartition(".")[0]

    def _text(self, path: str, status: str, correct: bool | None) -> str:
        if status == "answer":
            return f"\n<answer>\\boxed{{{42 if correct else 17}}}<end_of_answer>"
        numbers = {name: self.random.randint(2, 99) for name in "abc"}
        opening = "<code>\n" if path.count(".") == 1 else "\n"
        return opening + self.random.choice(STEPS).format(**numbers) + "\n<end_of_step>"

    def _node(self, path: str, number: int, status: str, text: str) -> dict[str, object]:
        ran = status in {"live", "code_error", "too_deep"}
        failed = status == "code_error"
        prior = round(self.random.uniform(-1, 1), 3) if self.guided and ran else None
        return {
            "search_id": self.search_id, "path": path, "expansion": number,
            "depth": path.count("."), "text": text, "observation": "",
            "tokens": tuple(range(40)) if text else (), "observation_tokens": (),
            "status": status, "finish": "stop" if text else "", "visits": 0, "value_sum": 0.0,
            "prior": prior, "score": None if prior is None else 2 * prior,
            "policy_id": "policy-1", "ppm_id": "ppm-1" if self.guided else None,
            "exec_status": "exception" if failed else "ok" if ran else "",
            "exec_error": "NameError: name 'pens' is not defined" if failed else "",
            "stdout": f"{self.random.randint(1, 999)}\n" if ran and not failed else "",
            "cpu_seconds": 0.004, "peak_mib": 31.5, "created_at": START + number,
        }  # fmt: skip


def grown(search_id: str, nodes: int, *, skill: float = 0.4, guided: bool = True) -> Growth:
    """A tree of at least `nodes` nodes."""
    growth = Growth(search_id, 1, skill, guided)
    while len(growth.nodes) < nodes and growth.expand():
        pass
    return growth


def basics(rounds: int = ROUNDS) -> list[Record]:
    """The run, its rounds, models and evaluations."""
    found: list[Record] = [Run(RUN, as_toml_values(Recipe(name=RUN)), 1, "0.1.0", START)]
    for number in range(rounds + 1):
        found += _round(number, last=number == rounds)
    return found


def _round(number: int, *, last: bool) -> list[Record]:
    start = START + 4000 * number
    closed = None if last else start + 3900
    status: RoundStatus = "searching" if last else "closed"
    policy, ppm = f"policy-{number - 1}", f"ppm-{number - 1}" if number > 1 else None
    found: list[Record] = [
        Round(RUN, number, status, policy if number else "", ppm, {}, start, closed, closed, closed)
    ]
    if not last:
        found += _models(number, start)
        found += [_evaluation(number, method, start) for method in ("policy", "search")]
    return found


def _models(number: int, start: float) -> list[ModelVersion]:
    def version(kind: ModelKind, parent: str | None, metrics: dict[str, Any]) -> ModelVersion:
        name = f"{kind}-{number}"
        return ModelVersion(
            name, RUN, kind, number, parent, f"models/{name}", "published", "", {}, metrics, start
        )

    metrics: dict[str, Any] = {"rows": 900 * (number + 1), "loss_first": 0.69, "loss_last": 0.31}
    found = [version("policy", f"policy-{number - 1}" if number else None, metrics)]
    if number:
        accuracy = {**metrics, "pair_accuracy": 0.6 + 0.07 * number}
        found.append(version("ppm", f"policy-{number}", accuracy))
    return found


def _evaluation(number: int, method: str, start: float) -> Evaluation:
    share = {"policy": 0.31, "search": 0.44}[method] + 0.11 * number - 0.012 * number**2
    return Evaluation(
        f"{method}-{number}", RUN, number, method, "heldout", f"policy-{number}", None, 100, 4,
        int(100 * share), share, share - 0.06, share + 0.06, 9000, 60.0, {}, start,
    )  # fmt: skip


def answers(rounds: int, problems: int) -> Iterator[EvaluationAnswer]:
    """What the policy of each round answered to the first problems, right in two of three cases."""
    for number in range(rounds):
        for index in range(min(problems, 12)):
            right = index % 3 > 0
            text = f"<code>\n# Count what is left.\nleft = {index}\n<answer>"
            yield EvaluationAnswer(
                f"policy-{number}",
                f"p{index:06d}",
                0,
                "42" if right else "41",
                right,
                text,
                30,
                0.5,
            )


def problem(index: int) -> Problem:
    kind = KINDS[index % len(KINDS)]
    question = f"Nora packs {index} boxes of {3 + index % 11} pens and sells {index % 7} of them. "
    return Problem(f"p{index:06d}", RUN, question + "How many pens are left?", "42", kind,
                   str(1 + index % 5), "generated")  # fmt: skip


def trees(rounds: int, problems: int, nodes: int) -> Iterator[list[Record]]:
    """One commit a search: its tree, and the pairs picked from it."""
    for number in range(1, rounds + 1):
        for index in range(problems):
            hard = random.Random(index).random()
            yield _search(number, index, nodes, skill=max(0.0, 0.15 * number + 0.4 - hard))


def _search(number: int, index: int, nodes: int, skill: float) -> list[Record]:
    search_id = f"r{number}-{index:06d}"
    tree = grown(search_id, nodes, skill=skill, guided=number > 1)
    answers = [n for n in tree.nodes.values() if n["status"] == "answer"]
    solved = any(n["correct"] for n in answers)
    search = Search(search_id, RUN, number, f"p{index:06d}", "train", index, f"policy-{number - 1}",
                    None, "finished", 16, len(tree.expansions), "", solved, "42" if solved else "",
                    START + 10, START + 40, 30.0)  # fmt: skip
    return [search, *tree.expansions, *tree.records(), *_pairs(number, tree)]


def search(search_id: str, number: int, index: int) -> Search:
    """A finished search of round `number` over the problem `index`."""
    return Search(search_id, RUN, number, f"p{index:06d}", "train", 1, f"policy-{number - 1}",
                  None, "finished", 16)  # fmt: skip


def judged_ppm(database: Database) -> ModelVersion:
    """A second PPM of round 1, which orders the first 30 pairs of that round wrongly."""
    found = database.read(queries.pairs_of, RUN, 1)[:30]
    worst = [
        {
            "search": pair.search_id,
            "chosen": pair.chosen_path,
            "rejected": pair.rejected_path,
            "chosen_score": -0.5,
            "rejected_score": 0.01 * number,
        }
        for number, pair in enumerate(found)
    ]
    metrics = {"pair_accuracy": 0.67, "labels_judged": 40, "labels_right": 30}
    return ModelVersion(
        "ppm-judged", RUN, "ppm", 1, "policy-1", "models/ppm-judged", "published", "",
        {"worst_pairs": worst}, metrics, START + 4001,
    )  # fmt: skip


def _pairs(number: int, tree: Growth) -> list[Pair]:
    found = []
    for made in tree.children.values():
        visited = sorted(made, key=lambda p: -float(str(tree.nodes[p]["value_sum"])))
        best, worst = visited[0], visited[-1]
        if tree.nodes[best]["value_sum"] != tree.nodes[worst]["value_sum"]:
            found.append(Pair(RUN, number, tree.search_id, best, worst, "step", 0.5))
    return found[:12]


def fill(database: Database, rounds: int, problems: int, nodes: int) -> None:
    """`rounds` x `problems` trees of at least `nodes` nodes."""
    database.commit(*basics(rounds), *(problem(index) for index in range(problems)))
    database.commit(*answers(rounds, problems))
    batch: list[list[Record]] = []
    for records in trees(rounds, problems, nodes):
        batch.append(records)
        if sum(map(len, batch)) > 20_000:
            database.write(batch)
            batch = []
    database.write(batch)


def main(file: str, nodes: str) -> None:
    Path(file).unlink(missing_ok=True)
    with open_database(file) as database:
        fill(database, ROUNDS, int(nodes) // (ROUNDS * 500), 500)


if __name__ == "__main__":
    main(*sys.argv[1:])
