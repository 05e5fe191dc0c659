"""The documentation, built once for all test workers and served on loopback, and a browser to open it."""

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
    """The folder with the pages, which the first test worker builds for the others."""

    def build() -> Path:
        return Build.start(tmp_path_factory.mktemp("docs"), hash_seed="1").finish()

    return once_for_all_workers(tmp_path_factory, "docs", build)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="session")
def docs_url(built_docs: Path) -> Generator[str]:
    """The URL of the pages, without a trailing slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(built_docs))) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The URL at which a headless browser accepts commands."""
    with chromium(tmp_path_factory.mktemp("chromium")) as url:
        yield url
