"""The recipes of docs/clients.md, as they stand there."""
import re

import pages

PATH = pages.ROOT / "docs" / "clients.md"


def blocks():
    """section → its blocks of code in their order: (language, text)."""
    return {title: [block for block in found if block[0]] for title, found in pages.sections(PATH)}


def program(section, language):
    """All blocks of a section in one language as one text, and all that they are said to print."""
    mine = blocks()[section]
    assert {kind for kind, _ in mine} <= {language, "text"}, mine
    told = "".join(text for kind, text in mine if kind == "text")
    return "\n".join(text for kind, text in mine if kind == language), told


def only(section, language):
    """The texts of one language in a section."""
    return [text for kind, text in blocks()[section] if kind == language]


def same_versions(text):
    """The text with every uuid and timestamp replaced by one that the page shows."""
    text = re.sub(r'"uuid":"[0-9a-f-]{36}"', '"uuid":"a1b2c3d4-e5f6-4890-9234-567890abcdef"', text)
    return re.sub(r'"timestamp":\d{13}', '"timestamp":1672531200000', text)
