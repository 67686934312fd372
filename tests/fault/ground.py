"""What a run stands on: a small file system for each zone, and an engine whose writes and syncs can be made to fail.

Both are for this run only: the mounts are in a namespace of this process and its children, the engine is a directory in the
daemon's home that leads to the real one. Where a thing cannot be had (no root, no compiler) the faults that need it are left
out, and `Ground` says so.
"""

import ctypes
import os
import pathlib
import pwd
import shutil
import subprocess

from harness import SHARED

HERE = pathlib.Path(__file__).resolve().parent
DISK = "2G"
CLONE_NEWNS = 0x00020000


class Ground:
    def __init__(self, howdah, engine):
        self.howdah, self.mounts = howdah, []
        if os.geteuid() == 0 and self._own_mounts():
            for zone in ("us-west-2a", "us-west-2b"):
                self._mount(howdah.home / "zones" / zone)
        self.has_disks = len(self.mounts) == 2
        self.has_io_faults = self._engine(engine)

    @staticmethod
    def _own_mounts():
        libc = ctypes.CDLL(None, use_errno=True)
        return libc.unshare(CLONE_NEWNS) == 0 and subprocess.run(
            ["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL).returncode == 0

    def _mount(self, path):
        path.mkdir(parents=True, mode=0o700)
        image = self.howdah.base / f"{path.name}.img"
        for command in (["truncate", "-s", DISK, image], ["/usr/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image],
                        ["mount", "-o", "loop", image, path]):
            if subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
                return
        self.mounts.append(path)
        (path / "lost+found").rmdir()
        user = pwd.getpwnam("howdah")
        for directory in (path, path.parent):
            os.chown(directory, user.pw_uid, user.pw_gid)
            directory.chmod(0o700)

    def _engine(self, version):
        """home/engines/VERSION with a `postgres` that preloads io_faults.c into the real one."""
        real = SHARED / "engines" / version
        library = self.howdah.base / "io_faults.so"
        compiler = shutil.which("clang-19") or shutil.which("cc")
        if not real.is_dir() or not compiler:
            return False
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, HERE / "io_faults.c", "-ldl"], check=True)
        engine = self.howdah.home / "engines" / version
        engine.parent.unlink()
        (engine / "bin").mkdir(parents=True)
        for entry in real.iterdir():
            if entry.name != "bin":
                (engine / entry.name).symlink_to(entry)
        for program in (real / "bin").iterdir():
            (engine / "bin" / program.name).symlink_to(program)
        wrapper = engine / "bin/postgres"
        wrapper.unlink()
        subprocess.run([compiler, "-O1", "-static", f'-DLIBRARY="{library}"', f'-DPOSTGRES="{real}/bin/postgres"',
                        "-o", wrapper, HERE / "io_wrapper.c"], check=True)
        subprocess.run(["chown", "-R", "howdah:howdah", self.howdah.home / "engines"], stderr=subprocess.DEVNULL)
        return True

    def allows(self, nemesis):
        return (self.has_disks or not nemesis.needs_disks) and (self.has_io_faults or not nemesis.needs_io_faults)

    def release(self):
        for path in self.mounts:
            subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.howdah.base, ignore_errors=True)
