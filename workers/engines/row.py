"""A request in the making and its samples."""

from dataclasses import dataclass, field

from rstar_async.wire.payloads import Generate, Generated, Sample
from workers.engines.sampling import row_key
from workers.engines.stops import Decode, Finish, StopRule
from workers.engines.work import Work

Asked = Work[Generate, Generated]


@dataclass(eq=False)
class Row:
    """One sample: its tokens so far, and what came of it."""

    job: "Job"
    key: int
    tokens: list[int] = field(default_factory=list)
    sample: Sample | None = None

    def end(self, finish: Finish, decode: Decode) -> None:
        """Close the sample; the model's own end leaves no token behind."""
        tokens = self.tokens[:-1] if finish == "eos" else self.tokens
        self.sample = Sample(tokens, decode(tokens), finish)


class Job:
    """A `Generate` request with its rows; `cached` prompt tokens came from the prefix cache."""

    def __init__(self, work: Asked, stops: StopRule) -> None:
        request = work.request
        self.work = work
        self.stops = stops
        self.prompt = tuple(request.prompt)
        self.sampling = request.sampling
        self.cached = 0
        self.rows = [Row(self, row_key(request.seed, index)) for index in range(request.n)]

    def reply(self) -> Generated | None:
        """The answer, once every sample has ended."""
        samples = [row.sample for row in self.rows if row.sample is not None]
        if len(samples) < len(self.rows):
            return None
        request = self.work.request
        return Generated(request.model, samples, len(self.prompt), self.cached, self.work.seconds)
