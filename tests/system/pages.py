"""Documents as they stand: their blocks of code, and whether what was printed has the form that they show."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
MANUAL = ROOT / "docs" / "kvs.1"

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TOKENS = re.compile(rf"(?P<uuid>{UUID})|(?P<time>\d{{13}})|(?P<gap>(?:(?<=,) )?…)|(?P<line>\n+)|(?P<rest>.)")
PATTERNS = {"uuid": UUID, "time": r"\d{13}", "gap": ".+?", "line": r"\n*"}


def sections(page):
    """(title, blocks of code) of each section in their order; a block: (language or nothing, text)."""
    for part in page.read_text().split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        yield title, re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def blocks(page):
    """(language, text) of each block of code, in their order."""
    return [block for _, found in sections(page) for block in found]


def manual_examples():
    """The commands under EXAMPLES in the manual page."""
    text = MANUAL.read_text().split("\n.SH EXAMPLES\n.nf\n")[1].split("\n.fi\n")[0]
    return text.replace("\\-", "-")


def same_form(shown, printed):
    """Whether `printed` is what `shown` stands for: uuids, times and what is left out (…) may be anything of
    their kind, and breaks between lines may be missing, for a node's answers end without one."""
    tokens = TOKENS.finditer(shown.strip())
    pattern = "".join(PATTERNS.get(token.lastgroup, re.escape(token[0])) for token in tokens)
    return re.fullmatch(pattern, printed.strip()) is not None
