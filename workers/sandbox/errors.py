"""What can go wrong with the sandbox itself, as against the programs in it."""


class SandboxError(Exception):
    """The sandbox cannot do its work; `str()` is one line that says what to do."""


class Unconfinable(SandboxError):
    """This machine lacks a lock, and nobody allowed to go without it."""


class ForkRefused(SandboxError):
    """The interpreter that was to be continued did not bring forth a child."""


class Obstructed(SandboxError):
    """A node was asked for a child and, though alive, brought forth none that we know of."""


class ZygoteLost(SandboxError):
    """The fork server died; a new one has to be started."""
