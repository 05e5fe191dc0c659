"""The documentation, built once for all workers of a run, served on loopback, and a browser to look at it with."""

from collections.abc import Generator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.docs.browser import chromium
from tests.docs.building import Build
from tests.sharing import once_for_all_workers


@pytest.fixture(scope="session")
def built_docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages; the worker that comes first builds them for the others."""

    def build() -> Path:
        return Build.begin(tmp_path_factory.mktemp("docs"), hash_seed="1").finish()

    return once_for_all_workers(tmp_path_factory, "docs", build)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def docs_url(built_docs: Path) -> Generator[str]:
    """Where the pages are served, without a slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(built_docs))) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Where a headless browser listens for commands."""
    with chromium(tmp_path_factory.mktemp("chromium")) as url:
        yield url
