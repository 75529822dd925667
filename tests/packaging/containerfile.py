"""Reads a Containerfile: its stages, and in each the instructions in their order."""
import dataclasses
import json
import shlex


@dataclasses.dataclass
class Instruction:
    name: str  # in capitals
    text: str  # what follows, on one line

    @property
    def words(self):
        """The parts: of a JSON list, or split at spaces, without options."""
        if self.text.startswith("["):
            return json.loads(self.text)
        return [word for word in shlex.split(self.text) if not word.startswith("--")]

    def option(self, name):
        """The value of `--name=value`; None without it."""
        for word in self.text.split():
            if word.startswith(f"--{name}="):
                return word.split("=", 1)[1]
        return None


@dataclasses.dataclass
class Stage:
    image: str
    name: str  # empty: it has none
    instructions: list

    def all(self, name):
        return [each for each in self.instructions if each.name == name]

    def last(self, name):
        return self.all(name)[-1]


def read(path):
    """The stages of a file."""
    joined = path.read_text().replace("\\\n", " ")
    stages = []
    for line in joined.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, text = line.split(None, 1)
        if name == "FROM":
            words = text.split()
            stages.append(Stage(words[0], words[2] if len(words) == 3 and words[1] == "AS" else "", []))
        else:
            stages[-1].instructions.append(Instruction(name, text))
    return stages
