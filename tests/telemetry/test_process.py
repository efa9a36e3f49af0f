"""The options that every process has."""

import argparse
from pathlib import Path

import pytest

from rstar_async.telemetry import process


@pytest.mark.parametrize("option", ["--heartbeat", "--pulse"])
def test_the_heartbeat_option_keeps_its_former_name(option: str) -> None:
    parser = argparse.ArgumentParser()
    process.add_options(parser)
    assert parser.parse_args([option, "/tmp/h"]).heartbeat == Path("/tmp/h")
