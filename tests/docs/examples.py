"""The blocks of the guides, sorted by how they are run."""

from tests.blocks import blocks_of
from tests.docs.building import GUIDES, SOURCES

BLOCKS = blocks_of(SOURCES / "index.md", *GUIDES)
FILES = [block for block in BLOCKS if block.file_name]
"""Files of a project, tests among them."""
APPLICATIONS = [block for block in BLOCKS if block.is_application]
PROGRAMS = [block for block in BLOCKS if block.language == "python" and block.is_program]
FUNCTIONS = [
    block for block in BLOCKS if block.language == "python" and block not in (*FILES, *APPLICATIONS, *PROGRAMS)
]
COMMANDS = [
    line.removeprefix("$ ") for block in BLOCKS if block.language == "console" for line in block.code.splitlines()
]
