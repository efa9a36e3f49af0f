"""What can go wrong with the sandbox itself, not with the programs in it."""


class SandboxError(Exception):
    """The sandbox cannot do its work; `str()` is one line that says what to do."""


class Unconfinable(SandboxError):
    """This machine lacks a protection that was not waived by name."""


class ForkRefused(SandboxError):
    """The interpreter that was to be continued could not create a child."""


class Obstructed(SandboxError):
    """A node that was asked for a child is alive, but no child of it has reported."""


class ZygoteLost(SandboxError):
    """The fork server died; a new one has to be started."""
