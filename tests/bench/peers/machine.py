# SPDX-License-Identifier: Apache-2.0
"""What the machine does to a run: stolen time, waiting for a CPU, how far the cores are; and how we keep others away."""
import os
import subprocess

GENERATOR_CORE, WORKER_CORE = 0, 1
FAR_NS = 90  # a cache line that takes longer between the cores makes a "far" run
STOLEN_MAX, WAITED_MAX = 0.05, 0.09  # parts of a run; more, and it is discarded. Real time leaves 5 % to others


def stolen_seconds():
    """Of both cores, since boot."""
    total = 0
    with open("/proc/stat") as f:
        for line in f:
            if line.startswith(("cpu%d " % GENERATOR_CORE, "cpu%d " % WORKER_CORE)):
                total += int(line.split()[8])
    return total / os.sysconf("SC_CLK_TCK")


def tasks(pid):
    try:
        return [int(t) for t in os.listdir("/proc/%d/task" % pid)]
    except FileNotFoundError:
        return []


def waited_seconds(tid):
    """How long a thread was runnable and did not run."""
    try:
        with open("/proc/%d/schedstat" % tid) as f:
            return int(f.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def thread_cpu_seconds(tid):
    try:
        with open("/proc/%d/schedstat" % tid) as f:
            return int(f.read().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0


def rss_mb(pid):
    """Memory of a process with its hugepages, and what of that is hugepages."""
    rss = huge = 0
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            if line.startswith("Rss:"):
                rss = int(line.split()[1])
            elif line.startswith(("Private_Hugetlb:", "Shared_Hugetlb:")):
                huge += int(line.split()[1])
    return (rss + huge) / 1000, huge / 1000


def set_realtime(pid, priority):
    """SCHED_FIFO for all threads (0: normal again). False: not allowed."""
    policy = os.SCHED_FIFO if priority else os.SCHED_OTHER
    for t in tasks(pid):
        try:
            os.sched_setscheduler(t, policy, os.sched_param(priority))
        except ProcessLookupError:
            pass
        except PermissionError:
            return False
    return True


def probe(pktgen, *what):
    """Nanoseconds between the two cores, or until a thread is woken ("wake"); None when they cannot be told."""
    r = subprocess.run([pktgen, "probe", str(GENERATOR_CORE), str(WORKER_CORE), *what], capture_output=True, text=True)
    return float(r.stdout) if r.returncode == 0 else None


class Hugepages:
    """Makes sure that there are `megabytes` more of them while it is held."""

    FILE = "/proc/sys/vm/nr_hugepages"

    def __init__(self, megabytes):
        self.want = megabytes // 2
        self.added = 0

    def _count(self):
        with open(self.FILE) as f:
            return int(f.read())

    def _free(self):
        with open("/proc/meminfo") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("HugePages_Free"))

    def __enter__(self):
        for _ in range(2):  # those that others have beyond that number are the first to count
            missing = self.want - self._free()
            if missing > 0:
                before = self._count()
                with open(self.FILE, "w") as f:
                    f.write(str(before + missing))
                self.added += self._count() - before
        return self._free() >= self.want

    def __exit__(self, *_):
        if self.added:
            with open(self.FILE, "w") as f:
                f.write(str(self._count() - self.added))
