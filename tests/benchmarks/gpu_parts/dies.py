"""A part that a signal kills."""

import os
import signal


def measure(place, findings):
    os.kill(os.getpid(), signal.SIGKILL)
