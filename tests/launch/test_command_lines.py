"""The processes understand the command lines that the launcher writes."""

import sys
from pathlib import Path

import msgspec
import pytest

import brokers.__main__
import rstar_async.coordinator.__main__
import rstar_async.trainer.__main__
import workers.__main__
from rstar_async.config import Recipe
from rstar_async.launch.network import LocalSockets
from rstar_async.launch.processes import Places, processes
from workers.engines.openai import OpenAISettings
from workers.engines.options import settings_of
from workers.engines.sglang.settings import SGLangSettings

SOCKETS = LocalSockets(Path("/tmp/rstar-x"))
PLACES = Places(Path("/h"), Path("/h/models"), SOCKETS, Path("/h/recipe.json"))


def words_after(module: str, **sections: object) -> list[list[str]]:
    recipe = msgspec.convert({"name": "trial", **sections}, Recipe)
    lines = [list(spec.argv) for spec in processes(recipe, PLACES)]
    return [line[4:] for line in lines if line[3] == module]


def test_brokers_parse_their_command_line() -> None:
    pools = [brokers.__main__._parse(words).pool for words in words_after("brokers")]
    assert pools == ["inference", "executor", "reward"]


def test_workers_parse_their_command_line() -> None:
    options = [workers.__main__.parse(words) for words in words_after("workers")]
    assert [option.name for option in options] == ["executor-1", "inference-1", "reward-1"]
    assert [vars(option).get("rows") for option in options] == [None, 128, 128]


def test_workers_parse_where_sglang_runs() -> None:
    sglang = {"policy_urls": ["http://a:1"], "launch": "serve {model} {port}", "port": 4000}
    lines = words_after("workers", workers={"engine": "sglang"}, sglang=sglang)
    _, inference, reward = [workers.__main__.parse(words) for words in lines]
    policy, ppm = (settings_of(options, SGLangSettings) for options in (inference, reward))
    assert (policy.url, policy.server_arguments) == ("http://a:1", "")
    assert (ppm.url, ppm.launch, ppm.port) == ("", "serve {model} {port}", 4001)
    assert ppm.server_arguments == "--mem-fraction-static 0.3"


def test_workers_parse_which_openai_server_to_ask() -> None:
    openai = {"url": "http://a:1/v1", "model": "m", "prompts": "text"}
    lines = words_after("workers", workers={"engine": "openai"}, openai=openai)
    _, inference = [workers.__main__.parse(words) for words in lines]
    assert settings_of(inference, OpenAISettings) == OpenAISettings(
        url="http://a:1/v1", served_as="m", prompts="text"
    )


def test_the_coordinator_parses_its_command_line() -> None:
    (words,) = words_after("rstar_async.coordinator")
    assert rstar_async.coordinator.__main__._parser().parse_args(words).sockets == SOCKETS.folder


def test_the_trainer_parses_its_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    (words,) = words_after("rstar_async.trainer")
    monkeypatch.setattr(sys, "argv", ["trainer", *words])
    assert rstar_async.trainer.__main__._parse().run == "trial"


def test_trainer_ranks_parse_their_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ((ranks, *words),) = words_after("rstar_async.trainer.ranks", training={"processes": 2})
    monkeypatch.setattr(sys, "argv", ["trainer", *words])
    assert (ranks, rstar_async.trainer.__main__._parse().run) == ("2", "trial")


def test_every_process_is_checked_here() -> None:
    modules = {spec.argv[3] for spec in processes(Recipe(), PLACES)}
    assert modules == {"brokers", "workers", "rstar_async.coordinator", "rstar_async.trainer"}
