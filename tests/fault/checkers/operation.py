"""One operation of one client, as the history has it.

The rule that keeps all checkers right: `ok` means that the client was told of success, `fail` that it certainly had no
effect, and `info` everything else (the connection was lost, 08007, 40003): that may have happened, or may happen yet.
"""

import dataclasses
import json
import typing

OK, FAIL, INFO = "ok", "fail", "info"


@dataclasses.dataclass(frozen=True)
class Operation:
    """Times are of one monotonic clock, in nanoseconds; `node` and `timeline` say which server answered."""

    workload: str
    client: int
    kind: str
    value: typing.Any
    begun: int
    ended: int
    state: str
    result: typing.Any = None
    node: typing.Optional[str] = None
    timeline: int = 0
    error: typing.Optional[str] = None
    backend: typing.Optional[int] = None

    def line(self):
        fields = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return json.dumps(fields, separators=(",", ":"))

    @staticmethod
    def parse(line):
        return Operation(**{"value": None, **json.loads(line)})

    def __str__(self):
        took = f"{self.begun / 1e9:.6f}–{self.ended / 1e9:.6f}"
        where = f" on {self.node} timeline {self.timeline}" if self.node else ""
        return f"{self.kind} {self.value} by client {self.client}, {took} s, {self.state} {self.result}{where}"


def of(operations, workload, kind=None):
    return [o for o in operations if o.workload == workload and kind in (None, o.kind)]
