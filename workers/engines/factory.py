"""The options that name an engine, and the engine that they name; imports no other one."""

import argparse
import shlex
from pathlib import Path

from rstar_async.errors import BadInput
from workers.engines.base import Engine, Scorer
from workers.engines.sglang.command import INSTALLED, Command
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.role import POLICY, PPM, Role

INFERENCE_ENGINES = ("local", "sglang", "openai", "scripted")
REWARD_ENGINES = ("local", "sglang", "scripted")


def add_engine_options(parser: argparse.ArgumentParser, engines: tuple[str, ...]) -> None:
    """Options of workers that serve a model."""
    parser.set_defaults(check=check_engine)
    parser.add_argument("--models", type=Path, required=True, help="folder of model versions")
    parser.add_argument("--engine", choices=engines, default="local")
    parser.add_argument("--rows", type=positive, default=128, help="sequences computed at once")
    local = parser.add_argument_group("local engine")
    local.add_argument("--cache-mib", type=number, default=1024, help="prefix cache; 0: none")
    local.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    local.add_argument("--dtype", choices=("auto", "float32", "bfloat16"), default="auto")
    local.add_argument("--threads", type=positive, help="threads of torch; default: its own")
    servers = parser.add_argument_group("sglang and openai engines")
    servers.add_argument("--url", help="of a running server; without it SGLang is started here")
    servers.add_argument("--model", help="serve this version at once; else when a job names one")
    servers.add_argument("--launch", help="what starts SGLang, with {model} and {port}")
    servers.add_argument("--port", type=number, default=0, help="of an SGLang started here; 0: any")
    servers.add_argument(
        "--server-arguments", default="", help="more for an SGLang started here, as one word"
    )
    servers.add_argument("--server-models", type=Path, help="--models as a running server sees it")
    servers.add_argument("--served-as", help="the model's name on an OpenAI server; the version's")
    scripted = parser.add_argument_group("scripted engine")
    scripted.add_argument("--delay", type=float, default=0.0, help="seconds")


def check_engine(options: argparse.Namespace) -> None:
    """Refuse before anything is opened."""
    if not options.models.is_dir():
        raise BadInput(f"there is no folder of models {options.models}")
    if options.url is not None and not options.url.startswith(("http://", "https://")):
        raise BadInput(f"--url {options.url} is no http:// or https:// address")
    if options.engine == "openai" and options.url is None:
        raise BadInput("--engine openai needs the --url of a server, such as http://host:8000/v1")
    if options.server_arguments and (options.engine != "sglang" or options.url is not None):
        raise BadInput("--server-arguments are for an SGLang server that is started here")
    if options.engine == "sglang" and options.url is None:
        _command(options).check()


def open_engine(options: argparse.Namespace) -> Engine:
    """The engine of an inference worker, for use as a context manager."""
    if options.engine == "scripted":
        from workers.engines.scripted import ScriptedEngine

        return ScriptedEngine(options.models, delay=options.delay)
    if options.engine == "sglang":
        from workers.engines.sglang.engine import SGLangEngine

        return SGLangEngine(options.models, _host(options, POLICY), options.model)
    if options.engine == "openai":
        from workers.engines.openai import OpenAIEngine

        return OpenAIEngine(options.models, options.url, options.served_as)
    from workers.engines.local.engine import LocalEngine

    return LocalEngine(
        options.models,
        device=options.device,
        dtype=options.dtype,
        cache_mib=options.cache_mib,
        max_rows=options.rows,
        threads=options.threads,
    )


def open_scorer(options: argparse.Namespace) -> Scorer:
    """The engine of a reward worker, for use as a context manager."""
    if options.engine == "scripted":
        from workers.engines.scripted import ScriptedScorer

        return ScriptedScorer(options.models, delay=options.delay)
    if options.engine == "sglang":
        from workers.engines.sglang.scorer import SGLangScorer

        return SGLangScorer(options.models, _host(options, PPM), options.model)
    from workers.engines.local.scorer import LocalScorer

    return LocalScorer(
        options.models,
        device=options.device,
        dtype=options.dtype,
        cache_mib=options.cache_mib,
        threads=options.threads,
    )


def _host(options: argparse.Namespace, role: Role) -> Deployment:
    if options.url is not None:
        from workers.engines.sglang.attached import AttachedServer

        return AttachedServer(role, options.url, options.models, options.server_models)
    from workers.engines.sglang.managed import ManagedServer

    return ManagedServer(role, _command(options), options.port)


def _command(options: argparse.Namespace) -> Command:
    arguments = tuple(shlex.split(options.server_arguments))
    return Command(options.launch or INSTALLED, arguments)


def number(text: str) -> int:
    """An argument from 0 up."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return int(text)


def positive(text: str) -> int:
    """An argument from 1 up."""
    if number(text) == 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return int(text)
