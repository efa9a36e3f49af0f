"""A part that is there for others."""

import os
import time


def measure(place, findings):
    findings.note("pid", os.getpid())
    place.ready("stays").touch()
    time.sleep(3600)
