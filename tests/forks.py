"""Programs in interpreters that have imported nothing yet, or only libraries that are named.

They are forks of one process: the start of each, with the import of the libraries, takes longer than most programs.
"""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Ended", "Forks", "forking"]

# It imports no library itself, so requests are Python's literals. A fork ends as an interpreter does, but without the
# release of all objects, which would copy the memory that it shares.
_SERVER: Final = """
import atexit, os, sys
{imports}
for line in sys.stdin:
    code, arguments, environment, files = eval(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    for descriptor, file in enumerate(files):
        os.dup2(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    status = 0
    try:
        exec(compile(code, "<string>", "exec"), {{"__name__": "__main__"}})
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
"""


@attrs.frozen
class Ended:
    code: int
    out: str
    err: str


class Forks:
    """A process whose forks run programs."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process, self._folder = process, folder

    def run(self, program: str, *arguments: str) -> Ended:
        """Run *program* as ``python -c`` does, in the current environment, with empty standard input."""
        files = [os.devnull, *(str(self._folder / name) for name in ("out", "err"))]
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{(program, arguments, dict(os.environ), files)!r}\n")
        stdin.flush()
        code = stdout.readline()
        assert code, "the process has ended"
        return Ended(int(code), *(Path(file).read_text("utf-8") for file in files[1:]))


@contextmanager
def forking(folder: Path, *libraries: str) -> Generator[Forks]:
    """Start a process whose forks have imported *libraries*; warnings are errors, and *folder* gets their output."""
    server = _SERVER.format(imports="\n".join(f"import {library}" for library in libraries))
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", server],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        yield Forks(process, folder)
        # The end of its input ends it.
        process.communicate()
