import json
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from rstar_async.config import PPMConfig
from rstar_async.evaluation.models import find_models
from rstar_async.evaluation.trust import is_trusted, left_out, names_ppm, with_trusted_ppm
from tests.evaluation.scripted_run import DOUBTFUL, PPM, make_run

MEASURED, ALWAYS = PPMConfig(), PPMConfig(trust="always")


@pytest.fixture
def doubtful(tmp_path: Path):
    make_run(tmp_path, ppm_metrics=DOUBTFUL)
    return find_models(tmp_path)


def test_a_ppm_that_was_measured_as_no_better_is_not_trusted():
    assert not is_trusted(MEASURED, DOUBTFUL)


@pytest.mark.parametrize("metrics", [{}, {"trusted": True}, {"trusted": None}])
def test_a_ppm_that_is_better_or_was_not_measured_is_trusted(metrics):
    assert is_trusted(MEASURED, metrics)


def test_the_paper_trusts_every_ppm():
    assert is_trusted(ALWAYS, DOUBTFUL)


def test_why_a_ppm_is_left_out_is_one_line_with_its_figures_and_the_way_out():
    line = left_out(PPM, DOUBTFUL)
    assert "\n" not in line
    for words in (PPM, "51.0 %", "50.0 %", "48.0 %", "--ppm.trust always"):
        assert words in line


def test_models_come_without_a_ppm_that_is_not_trusted(doubtful):
    found = with_trusted_ppm(doubtful, is_named=False)
    assert found.ppm is None
    assert found.ppm_note == left_out(PPM, DOUBTFUL)


def test_a_command_that_names_the_ppm_is_obeyed_with_a_warning(doubtful):
    found = with_trusted_ppm(doubtful, is_named=True)
    assert found.ppm == PPM
    assert "it is used because the command names it" in found.ppm_note


def test_with_trust_always_nothing_is_said(doubtful):
    model = replace(doubtful, recipe=structs.replace(doubtful.recipe, ppm=ALWAYS))
    assert with_trusted_ppm(model, is_named=False) == model


def test_a_trusted_ppm_stays_and_nothing_is_said(tmp_path):
    make_run(tmp_path)
    model = find_models(tmp_path)
    assert with_trusted_ppm(model, is_named=False) == model
    assert model.ppm == PPM


@pytest.mark.parametrize(
    ("overrides", "against", "named"),
    [
        ([], [], False),
        ([("evaluation.rollouts", "4")], ["sample", "greedy"], False),
        ([("evaluation.answer", "majority")], [], False),
        ([("evaluation.answer", '"best_ppm"')], [], True),
        ([("evaluation.answer", "ppm_weighted")], [], True),
        ([], ["beam"], True),
    ],
)
def test_a_rule_or_a_strategy_that_needs_a_ppm_names_it(overrides, against, named):
    assert names_ppm(overrides, against) is named


def test_the_figures_come_from_the_published_manifest(doubtful):
    folder = doubtful.recipe.models_folder / PPM
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["metrics"]["trusted"] = True
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert with_trusted_ppm(doubtful, is_named=False).ppm == PPM
