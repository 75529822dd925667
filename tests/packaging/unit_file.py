"""The unit of the package, read as systemd reads it."""
import pathlib

UNIT = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "debian" / "kvs.service"


def settings(path=UNIT):
    """(section, name) → all its values, in their order."""
    found, section = {}, None
    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(("#", ";")):
            name, value = line.split("=", 1)
            found.setdefault((section, name), []).append(value)
    return found


def setting(name, section="Service"):
    """The value of a setting that stands there once."""
    (value,) = settings()[section, name]
    return value


def seconds(text):
    """A span of time of a unit."""
    units = {"": 1, "s": 1, "min": 60, "h": 3600}
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) * units[text[len(digits):]]
