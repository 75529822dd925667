"""A clean Debian 12 in a folder, made from the sources of packages that this machine uses. For the scripts of this
folder, which run as root."""
import pathlib
import shutil
import subprocess
import time

CHROOT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def say(text):
    print(f"== {text}", flush=True)


def run(*command, check=True, timeout=600, **options):
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return outcome


def make(folder):
    """The smallest Debian that has apt."""
    mirror = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Codename: bookworm")
    run("debootstrap", "--variant=minbase", "bookworm", folder, mirror.stdout.split()[0], timeout=3000)
    for source in pathlib.Path("/etc/apt/sources.list.d").glob("debian*"):
        shutil.copy(source, folder / "etc/apt/sources.list.d")
        (folder / "etc/apt/sources.list").unlink(missing_ok=True)
    for proxy in pathlib.Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(proxy, folder / "etc/apt/apt.conf.d")
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    chroot(folder, "apt-get", "-qq", "update")


def make_or_copy(folder, base):
    """A clean Debian in `folder`: a copy of `base`, which is made first if it is not there; without one a new one."""
    if base is None:
        make(folder)
        return
    if not base.exists():
        make(base)
    run("cp", "-a", base, folder)


def chroot(folder, *command, **options):
    return run("chroot", folder, *command, env=CHROOT_ENVIRONMENT, **options)


def add_packages(folder, packages):
    chroot(folder, "apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages, timeout=1800)


def first_process(nspawn, name):
    """The id of the process called `name` that a systemd-nspawn started; None if there is none yet."""
    waiting = [nspawn]
    while waiting:
        pid = waiting.pop()
        try:
            if pid != nspawn and pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                return pid
            waiting += pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except FileNotFoundError:
            pass
    return None
