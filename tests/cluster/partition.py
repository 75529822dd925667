"""Cuts the nodes of a cluster off from one another, on one machine, with nftables.

Nodes listen on loopback addresses, but the connections that they make come from an address of the
kernel's choice. So every connection is marked with the group id of the process that opened it, and
rules go by that mark and by the listener's address: of a connection from A to B, A's packets have
A's mark and go to B's address, B's packets have A's mark and come from B's address. Clients have
no mark and reach everybody.
"""
import os
import shutil
import subprocess


def run(script):
    return subprocess.run(["nft", "-f", "-"], input=script, capture_output=True, text=True, timeout=20, check=False)


def why_not():
    """Why nothing can be cut here; nothing if it can."""
    if os.geteuid() != 0:
        return "needs root for nft"
    if shutil.which("nft") is None:
        return "nft is not installed"
    name = f"kvs_probe_{os.getpid()}"
    made = run(f"table inet {name} {{\n chain c {{\n type filter hook output priority 0;\n ct mark 1 drop\n }}\n}}\n")
    run(f"delete table inet {name}\n")
    return None if made.returncode == 0 else f"nft does not work here: {made.stderr.strip()[:200]}"


class Network:
    """A table of rules of its own, for nodes that do not run yet."""

    def __init__(self, nodes):
        self.table = f"kvs_test_{os.getpid()}"
        self.groups = [node.group for node in nodes]
        self.hosts = [node.host for node in nodes]

    def __enter__(self):
        # The first packet of a connection tells the group; the mark then stays with the connection. What
        # the kernel still holds of a connection that was cut off for ever may bear the same addresses
        # and ports, for days: so each first packet marks anew, those of clients too.
        first = "tcp flags & (syn | ack) == syn"
        marks = f"  {first} ip daddr {{ {', '.join(self.hosts)} }} ct mark set 0\n"
        marks += "".join(f"  {first} meta skgid {group} ct mark set {group}\n" for group in self.groups)
        self.apply(
            f"table inet {self.table} {{\n"
            f" chain marks {{\n  type filter hook output priority -10;\n{marks} }}\n"
            " chain cuts {\n  type filter hook output priority 0;\n }\n"
            "}\n"
        )
        return self

    def __exit__(self, kind, error, trace):
        run(f"delete table inet {self.table}\n")

    def apply(self, script):
        outcome = run(script)
        assert outcome.returncode == 0, outcome.stderr

    def cut(self, directions):
        """From now on nothing gets from A to B for each (A, B); all else does. One change."""
        rules = [f"flush chain inet {self.table} cuts\n"]
        for source, target in directions:
            rule = f"add rule inet {self.table} cuts ct mark"
            rules.append(f"{rule} {source.group} ip daddr {target.host} drop\n")
            rules.append(f"{rule} {target.group} ip saddr {source.host} drop\n")
        self.apply("".join(rules))

    def mute(self, callers, called):
        """From now on these do not get through to those, who still reach them and are answered."""
        rules = [f"flush chain inet {self.table} cuts\n"]
        for caller in callers:
            for host in (node.host for node in called if node is not caller):
                rules.append(f"add rule inet {self.table} cuts ct mark {caller.group} ip daddr {host} drop\n")
        self.apply("".join(rules))

    def heal(self):
        self.cut([])

    def separate(self, *sides):
        """Nothing between different sides."""
        self.cut(
            (source, target)
            for side in sides
            for other in sides
            if other is not side
            for source in side
            for target in other
        )

    def isolate(self, node, nodes):
        self.separate([node], [other for other in nodes if other is not node])

    def bridge(self, nodes):
        """Two halves that both reach the node in the middle, and not each other."""
        middle = len(nodes) // 2
        self.separate(nodes[:middle], nodes[middle + 1 :])

    def one_way(self, source, nodes):
        """Nothing that `source` sends arrives; it hears everybody."""
        self.cut((source, target) for target in nodes if target is not source)
