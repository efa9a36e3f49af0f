"""The SGLang scorer on real servers: the raw head outputs of transformers, for both families."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from rstar_async.engines.errors import BadRequest, EngineFailed, ModelUnavailable
from rstar_async.wire.payloads import Score
from tests.workers.engines.sglang.server import needs_sglang, serving
from workers.engines.sglang.attached import AttachedServer
from workers.engines.sglang.role import POLICY, PPM
from workers.engines.sglang.scorer import SGLangScorer

pytestmark = needs_sglang
PREFIX = list(range(30, 70))
STEPS = [list(range(100, 108)), [5], list(range(200, 230))]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.workers.engines.sglang.models import write_ppms

    root = tmp_path_factory.mktemp("ppms")
    write_ppms(root)
    return root


@pytest.fixture(scope="module", params=["qwen", pytest.param("llama", marks=pytest.mark.slow)])
def family(
    request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    log = tmp_path_factory.mktemp("log") / "ppm.log"
    with serving(models / request.param, log, "--is-embedding") as url:
        yield request.param, url


async def test_scores_are_those_of_transformers(models: Path, family: tuple[str, str]) -> None:
    from tests.workers.engines import oracle
    from tests.workers.engines.sglang.models import CONTEXT

    version, url = family
    async with SGLangScorer(models, AttachedServer(PPM, url, models)) as scorer:
        with trio.fail_after(60):
            for prefix in (PREFIX, [*PREFIX, *STEPS[0]], []):
                reply = await scorer.score(Score(version, prefix, STEPS))
                expected = [oracle.value(models / version, [*prefix, *step]) for step in STEPS]
                assert reply.values == pytest.approx(expected, abs=1e-5)
                assert max(expected) - min(expected) > 0.1
            for reply in (
                await scorer.score(Score(version, PREFIX, [[5] * CONTEXT, *STEPS])),
                await scorer.score(Score(version, [7] * CONTEXT, [[5]])),
            ):
                assert math.isnan(reply.values[0])
                assert not any(map(math.isnan, reply.values[1:]))
            with pytest.raises(BadRequest, match="token id"):
                await scorer.score(Score(version, PREFIX, [[99_999]]))


async def test_a_ppm_server_never_gets_a_request_to_generate(
    models: Path, family: tuple[str, str]
) -> None:
    with pytest.RaisesGroup(EngineFailed, allow_unwrapped=True, flatten_subgroups=True):
        async with AttachedServer(POLICY, family[1], models):
            pass


async def test_new_weights_give_new_scores_and_a_head_without_bias_is_refused(
    models: Path, family: tuple[str, str]
) -> None:
    from tests.workers.engines import oracle

    version, url = family
    if version != "qwen":
        async with SGLangScorer(models, AttachedServer(PPM, url, models)) as scorer:
            with pytest.raises(ModelUnavailable, match="shapes"):
                await scorer.score(Score("qwen", PREFIX, STEPS))
        return
    async with SGLangScorer(models, AttachedServer(PPM, url, models), "qwen") as scorer:
        with pytest.raises(ModelUnavailable, match=r"score\.bias"):
            await scorer.score(Score("biasless", PREFIX, STEPS))
        for name in ("qwen-2", "qwen"):
            reply = await scorer.score(Score(name, PREFIX, STEPS))
            expected = [oracle.value(models / name, [*PREFIX, *step]) for step in STEPS]
            assert reply.values == pytest.approx(expected, abs=1e-5)
