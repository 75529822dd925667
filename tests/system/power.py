"""A file system of its own whose power can be cut: what was synced stays, the rest goes.

The ioctl EXT4_IOC_SHUTDOWN stops ext4 without writing its log, so nothing in the page cache reaches
the image.
"""
import fcntl
import os
import pathlib
import struct
import subprocess
import time

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2


class PowerCutDisk:
    """An ext4 image on a loop device."""

    def __init__(self, folder, mebibytes=256):
        self.image, self.mount_point = (
            pathlib.Path(folder) / "disk.img",
            pathlib.Path(folder) / "disk",
        )
        self.mounted = False
        with open(self.image, "wb") as image:
            image.truncate(mebibytes << 20)
        subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", self.image], check=True, capture_output=True)
        self.mount_point.mkdir()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.mount_point], check=True, capture_output=True)
        self.mounted = True
        return self

    def cut_power(self):
        """From now on every access fails, and what was not synced is lost; when that began.

        A power cut takes the machine with it. Here processes live on, and a sync that the cut meets may
        still return 0, for the file system finds nothing left to wait for. So only what was answered
        before the cut began (the returned time.monotonic) was promised.
        """
        handle = os.open(self.mount_point, os.O_RDONLY)
        try:
            begun = time.monotonic()
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
            return begun
        finally:
            os.close(handle)

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", self.mount_point], check=True, capture_output=True)
            self.mounted = False


def why_not(folder):
    """Why power cannot be cut here; nothing if it can."""
    if os.geteuid() != 0:
        return "needs root for a loop mount"
    try:
        disk = PowerCutDisk(folder, 16).mount()
        disk.cut_power()
        disk.unmount()
    except (OSError, subprocess.CalledProcessError) as reason:
        return f"no loop mount with EXT4_IOC_SHUTDOWN here: {reason}"
    return None
