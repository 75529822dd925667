"""A machine of its own to type commands at: with no network but its loopback, another host name, and
folders in the place of some of the real ones. Whatever runs on it ends with it.

So a page's commands can be run as they stand there, ports and paths included, whatever else runs here.
"""
import os
import pathlib
import shlex
import subprocess
import uuid

ROOT = os.geteuid() == 0
ISOLATE = ["unshare", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
if not ROOT:
    ISOLATE.append("--map-root-user")


def why_not():
    """Nothing, or why no machine can be made here."""
    tried = subprocess.run([*ISOLATE, "hostname", "elsewhere"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"namespaces cannot be had: {tried.stderr.strip()}"


class Machine:
    """`mounts`: what stands in the place of which folder."""

    def __init__(self, hostname, addresses=(), mounts=None):
        commands = [f"hostname {hostname}", "ip link set lo up"]
        commands += [f"ip address add {address}/32 dev lo" for address in addresses]
        commands += [f"mount --bind {shlex.quote(str(new))} {place}" for place, new in (mounts or {}).items()]
        commands += ["echo up", "exec sleep infinity"]
        self.process = subprocess.Popen(
            [*ISOLATE, "sh", "-euc", "; ".join(commands)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "up\n", "the machine does not start"
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (self.first,) = children.read_text().split()

    def enter(self, *command):
        """The command line that runs a command on the machine."""
        user = [] if ROOT else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", self.first, "--net", "--uts", "--ipc", "--pid", "--mount", *user, *command]

    def run(self, text, folder, environment):
        """What a piece of bash prints; it has to end well."""
        done = subprocess.run(
            self.enter("bash", "-euo", "pipefail", "-c", f"cd {shlex.quote(str(folder))}; {text}"),
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Terminal:
    """A shell on a machine, into which blocks of commands are typed; a command that fails fails the test."""

    def __init__(self, machine, folder, environment, errors):
        self.machine, self.errors = machine, errors
        with open(errors, "ab") as file:
            self.process = subprocess.Popen(
                # Who runs the tests in the background has Ctrl-C ignored, and hands that on.
                machine.enter("env", "--default-signal=INT", "setsid", "bash", "-euo", "pipefail"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env=environment,
            )
        self.shell = int(self.type(f"cd {shlex.quote(str(folder))}; echo $$"))

    def begin(self, text):
        """Types a command that does not end by itself."""
        self.process.stdin.write(text.rstrip("\n") + "\n")
        self.process.stdin.flush()

    def type(self, text):
        """What the commands print on standard output."""
        end = uuid.uuid4().hex
        self.begin(f"{{\n{text}\n}} </dev/null\nprintf '%s\\n' {end}")
        printed = []
        for line in self.process.stdout:
            before, found, _ = line.partition(end)
            printed.append(before)
            if found:
                return "".join(printed)
        raise AssertionError(f"failed: {text}\n{''.join(printed)}\n{self.told()[-3000:]}")

    def told(self):
        """What came on standard error so far, of whatever ran here."""
        return self.errors.read_text(errors="replace")

    def interrupt(self):
        """Ctrl-C: to what runs in the foreground, and to the shell, which then ends too; its exit code."""
        subprocess.run(self.machine.enter("kill", "-INT", "--", f"-{self.shell}"), check=True)
        self.process.stdin.close()
        return self.process.wait(30)

    def close(self):
        """What still runs here ends with the machine."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if not pipe.closed:
                pipe.close()
