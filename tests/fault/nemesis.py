"""What a fault is to the run."""

import abc


class Nemesis(abc.ABC):
    """name; how long it lasts (seconds, from and to); how often it is chosen beside the others."""

    lasts = (0.0, 0.5)
    weight = 1
    fails_over = False
    needs_disks = False
    needs_io_faults = False

    @abc.abstractmethod
    def begin(self, run):
        """Does the harm."""

    def end(self, run):
        pass
