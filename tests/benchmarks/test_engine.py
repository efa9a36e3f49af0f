"""What `benchmarks.engine` asks and computes, and one short run of ours and of transformers."""

import json
from pathlib import Path

import pytest

from benchmarks.engine import __main__ as command
from benchmarks.engine.contenders import ENGINES, contenders
from benchmarks.engine.environments import Unavailable, interpreter, last_line, shortened
from benchmarks.engine.figures import best, differing, rates_of, share
from benchmarks.engine.jobs import (
    Job,
    Measured,
    Request,
    Spent,
    append_line,
    read_answers,
    read_job,
    write_job,
)
from benchmarks.engine.limits import (
    BYTES,
    FLOAT32,
    Machine,
    Stored,
    decode_limit,
    prefill_limit,
)
from benchmarks.engine.measuring import measure
from benchmarks.engine.sizes import Sizes, sizes_in
from benchmarks.engine.workload import (
    Shape,
    extended,
    longest,
    prompt_lengths,
    questions_needed,
    shape_of,
)

SIZES = Sizes(decoder=1000, head=100)
NO_PLACE = Path("/proc")
IN_FLOAT32 = Stored(FLOAT32, FLOAT32)


@pytest.mark.parametrize(("sequences", "shape"), [(1, (1, 1)), (8, (2, 4)), (64, (8, 8))])
def test_sequences_are_candidates_of_a_few_questions(sequences, shape):
    assert shape_of(sequences) == shape
    assert shape_of(sequences).sequences == sequences


def test_other_numbers_than_powers_of_two_are_refused():
    for sequences in (0, 3, 12):
        with pytest.raises(ValueError, match="power of two"):
            shape_of(sequences)


def test_the_next_level_continues_the_first_candidate_of_each_prompt():
    answers = [[5], [6], [7], [8]]
    assert extended([[1, 2], [3]], answers, 2) == [[1, 2, 5], [3, 7]]


def test_no_sequence_is_longer_than_the_longest():
    assert prompt_lengths(4, 100) == [100, 75, 125, 100]
    assert longest(100, 32, 3) == 125 + 96


def test_one_sequence_is_bound_by_reading_and_many_by_multiplying():
    machine = Machine(bandwidth=4400, operations={"float32": 22_000})
    assert decode_limit(machine, SIZES, IN_FLOAT32, 1) == pytest.approx(1)
    assert decode_limit(machine, SIZES, IN_FLOAT32, 10) == pytest.approx(10)
    assert decode_limit(machine, SIZES, IN_FLOAT32, 64) == pytest.approx(10)
    assert prefill_limit(machine, SIZES, IN_FLOAT32) == pytest.approx(11)


def test_a_head_of_its_own_precision_costs_its_own_time():
    machine = Machine(bandwidth=1e9, operations={"float32": 200, "int8": 2000})
    assert decode_limit(machine, SIZES, Stored(BYTES, FLOAT32), 64) == pytest.approx(0.5)


def test_an_embedding_that_is_also_the_head_is_counted_once():
    shapes = {"model.embed_tokens.weight": [10, 4], "a.weight": [4, 4], "norm.weight": [4]}
    assert sizes_in(shapes) == Sizes(decoder=16, head=40)
    assert sizes_in(shapes | {"lm_head.weight": [10, 4]}) == Sizes(decoder=16, head=40)


def test_decoding_is_what_is_left_after_the_first_token():
    measured = Measured(Shape(2, 4), 200, Spent(1, 2), first=Spent(5, 4), later=Spent(11, 6), cut=0)
    rates = rates_of(measured, new_tokens=33, levels=3)
    assert rates.prefill == (200, 100)
    assert rates.decode == (64, 128)
    assert rates.search == (8 * 33 * 3 / 16, 8 * 33 * 3 / 10)


def test_a_rate_lost_in_the_noise_is_none():
    spent = Spent(2, 2)
    rates = rates_of(Measured(Shape(1, 1), 10, spent, spent, spent, 0), 8, 1)
    assert rates.decode == (None, None)
    assert share(rates.decode.cpu, 5) is None
    assert share(1, 4) == 0.25


def test_an_answer_differs_from_its_first_other_token_on():
    assert differing([[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 9, 6]]) == 2
    assert differing([[1]], [[1, 2, 3]]) == 2


def test_the_best_rate_leaves_out_what_is_unknown():
    first, second = contenders(())[:2]
    assert best({first: 2.0, second: None}, (first, second)) == 2.0
    assert best({second: None}, (second,)) is None


def test_rivals_in_environments_have_pinned_packages():
    pins = [package for engine in ENGINES for package in engine.packages]
    assert pins
    assert all("==" in pin for pin in pins)
    assert {each.engine.name for each in contenders(("llama.cpp",))} == {"local", "llama.cpp"}


def test_what_cannot_be_installed_says_why_in_a_line():
    with pytest.raises(Unavailable, match="cannot be installed: ") as caught:
        interpreter(NO_PLACE, "rival", ("no-such-package==1",))
    assert "\n" not in str(caught.value)
    assert last_line("first\n  the last  \n\n") == "the last"
    assert shortened("a" * 1000 + " reason").endswith("a reason")


def job(**fields):
    given = {
        "model": "folder",
        "gguf": "",
        "precision": "float32",
        "threads": 1,
        "shapes": [Shape(1, 1), Shape(2, 4)],
        "repeats": 2,
        "new_tokens": 3,
        "levels": 2,
        "sequence_tokens": 10,
        "questions": [[number, 1] for number in range(15)],
        "greedy": [[1], [2]],
    }
    return Job(**given | fields)


def test_a_job_is_read_as_it_was_written(tmp_path):
    write_job(job(), tmp_path / "job.json")
    assert read_job(tmp_path / "job.json") == job()


def test_an_engine_is_asked_every_question_once_and_its_steps_are_continued(tmp_path):
    asked: list[Request] = []

    def generate(request):
        asked.append(request)
        return [[7] * request.new_tokens] * (len(request.prompts) * request.candidates)

    assert questions_needed([Shape(1, 1), Shape(2, 4)], 2) == 15
    measure(job(), tmp_path / "answers", generate)
    answers = read_answers(tmp_path / "answers")
    assert answers.greedy == [[7, 7, 7]] * 2
    assert [each.shape for each in answers.measured] == job().shapes
    assert [each.cut for each in answers.measured] == [0, 0]
    assert asked[0] == Request([[1], [2]], 1, 3, 0.0)
    fresh = [tuple(ids) for each in asked[1:] for ids in each.prompts if len(ids) == 2]
    assert sorted(fresh) == [(number, 1) for number in range(15)]
    later = [each.prompts for each in asked if len(each.prompts[0]) == 2 + 3]
    assert len(later) == 4
    assert later[0] == [[2, 1, 7, 7, 7]]


def test_what_a_child_had_measured_before_it_failed_counts(tmp_path):
    append_line(tmp_path / "answers", [[1, 2]])
    found = read_answers(tmp_path / "answers", "not done after 5 s")
    assert (found.greedy, found.measured, found.why) == ([[1, 2]], [], "not done after 5 s")
    assert read_answers(tmp_path / "none", "why").greedy == []


def test_ours_and_transformers_answer_alike_and_are_measured(capfdbinary):
    sizes = ["--sequences", "1,4", "--new-tokens", "6", "--prompt-tokens", "24", "--levels", "2"]
    command.main(["--short", "--json", "--threads", "1", "--precisions", "float32", *sizes])
    document = json.loads(capfdbinary.readouterr().out)
    engines = [row["engine"] for row in document["rows"] if row.get("sequences") == 4]
    assert engines == ["local float32", "transformers float32"]
    claims = {claim["name"]: claim for claim in document["claims"]}
    assert claims["greedy tokens unlike transformers', both in float32"]["holds"]
