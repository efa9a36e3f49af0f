"""What can go wrong with the sandbox itself, not with the programs in it."""


class SandboxError(Exception):
    """The sandbox cannot do its work; `str()` is one line that says what to do."""


class Unconfinable(SandboxError):
    """This machine lacks a protection that was not waived by name."""


class ForkRefused(SandboxError):
    """The interpreter that was to be continued could not create a child."""


class ForkRefusedByProgram(ForkRefused):
    """The same, said by an interpreter that has run user code; in the end it is not believed."""


class Obstructed(SandboxError):
    """An interpreter that has run user code was asked for a child, and there is none in time."""


class KilledByKernel(SandboxError):
    """A program was killed, not by the worker: memory was short, whoever used it."""


class ZygoteLost(SandboxError):
    """The fork server died; a new one has to be started."""
