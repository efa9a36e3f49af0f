"""The dashboard asks for metrics that there are."""

import json
import re
from pathlib import Path

from prometheus_client import REGISTRY

from rstar_async.telemetry import metrics

DASHBOARD = Path(__file__).parents[2] / "docker/observe/grafana/dashboards/rstar.json"


def test_every_metric_of_the_dashboard_is_one_of_ours() -> None:
    assert metrics.POOL  # imported, so that all of them are registered
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        re.sub(r"_(total|bucket|count)$", "", name)
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"\brstar_\w+", target["expr"])
    }
    ours = {family.name for family in REGISTRY.collect()}
    assert len(asked) > 10
    assert asked - ours == set()
