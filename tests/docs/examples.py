"""The blocks of the guides, grouped by how they are run."""

from tests.blocks import blocks_of, commands_of, documents
from tests.docs.building import GUIDES, SOURCES

BLOCKS = blocks_of(SOURCES / "index.md", *GUIDES)
FILES = [block for block in BLOCKS if block.file_name]
"""Files of a project, including tests."""
_SERVED = [block for block in BLOCKS if block.is_application]
RECEIVERS = [block for block in _SERVED if "kajabi_async.webhooks" in block.code]
"""Web applications that receive webhooks."""
APPLICATIONS = [block for block in _SERVED if block not in RECEIVERS]
"""Web applications that show a customer."""
PROGRAMS = [block for block in BLOCKS if block.language == "python" and block.is_program]
FUNCTIONS = [block for block in BLOCKS if block.language == "python" and block not in (*FILES, *_SERVED, *PROGRAMS)]
COMMANDS = commands_of(*documents())
"""The commands in the guides, the README and the examples."""
