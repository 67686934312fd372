"""What a fault is to the run."""


class Nemesis:
    """name; how long it lasts (seconds, from and to); how often it is chosen beside the others."""

    lasts = (0.0, 0.5)
    weight = 1
    fails_over = False
    needs_disks = False
    needs_io_faults = False

    def begin(self, run):
        raise NotImplementedError

    def end(self, run):
        pass
