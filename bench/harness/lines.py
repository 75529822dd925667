"""A goal, what is wanted, and what was measured; sections of them."""

import http.client
from dataclasses import dataclass

from . import process, rounds


@dataclass
class Line:
    goal: str
    wanted: str
    measured: str
    met: bool


def at_least(goal, measured, wanted, unit="×"):
    if measured is None:
        return Line(goal, f"≥ {wanted:g} {unit}", "failed", False)
    return Line(goal, f"≥ {wanted:g} {unit}", f"{measured:.2f} {unit}", measured >= wanted)


def at_most(goal, measured, wanted, unit):
    return Line(goal, f"≤ {wanted:g} {unit}", f"{measured:.2f} {unit}", measured <= wanted)


def run_section(name, section, options):
    """The lines that `section(folder, options)` yields; a failure is a line too, after those that
    were measured."""
    lines = []
    try:
        with rounds.data_folder(options.folder) as folder:
            for line in section(folder, options):
                rounds.say(f"{line.goal}: {line.measured} (wanted {line.wanted})")
                lines.append(line)
    except (process.Failed, OSError, http.client.HTTPException) as failure:
        lines.append(Line(f"{name}: the section ended early", "", str(failure), False))
    return lines
