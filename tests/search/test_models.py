"""Manifests of published versions, as a folder of somebody else may hold them."""

import pytest

from rstar_async.errors import BadInput
from rstar_async.evaluation.models import find_models
from rstar_async.search.models import MANIFEST, prompt_style, read_manifest

NONE = ["", "[]", "5", "{", '{"a":' * 100_000, '{"a": %s}' % ("1" * 5_000), "\xff\xfe{}"]


@pytest.mark.parametrize("content", NONE)
def test_a_manifest_that_is_none_is_one_line(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content, encoding="latin-1")
    for read in (read_manifest, find_models):
        with pytest.raises(BadInput, match=r"manifest\.json") as refused:
            read(tmp_path)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "style", ["{}", '{"prompt_style": "poem"}', '{"prompt_style": ["tagged"]}']
)
def test_a_style_of_prompts_that_is_none_is_one_line(tmp_path, style):
    (tmp_path / MANIFEST).write_text(style)
    with pytest.raises(BadInput, match="prompt_style is"):
        prompt_style(tmp_path)


def test_a_known_style_is_read(tmp_path):
    (tmp_path / MANIFEST).write_text('{"prompt_style": "few_shot"}')
    assert prompt_style(tmp_path) == "few_shot"
