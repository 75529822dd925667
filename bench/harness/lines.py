"""A goal, what is wanted, and what was measured."""

from dataclasses import dataclass


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
