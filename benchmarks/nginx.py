"""nginx as the server: one worker without a log, the prepared documents in its configuration and in files."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.documents import MEDIA_TYPE, TOKEN, listed, shown, shown_with_includes

ID_PLACE = "999999999999"
STARTS_WITHIN_SECONDS = 10.0

CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  open_file_cache max=4096 inactive=1h;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ }}
  default_type {media_type};
  map $args $included {{ default '}}'; ~include= '{included}'; }}
  map $args $number {{ default 1; "~page(?:%5B|\\[)number(?:%5D|\\])=(?<page>[0-9]+)" $page; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location ~ ^/v1/customers/(?<id>[0-9]+)$ {{ return 200 '{shown}$included'; }}
    location = /v1/customers {{ root {folder}; try_files /pages/$number.json =404; }}
    location = /v1/oauth/token {{ default_type application/json; return 200 '{token}'; }}
  }}
}}
"""


def installed() -> bool:
    return shutil.which("nginx") is not None


def version() -> str:
    printed = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return printed.strip().rpartition("/")[2].split()[0]


@contextmanager
def running(pages: int) -> Generator[tuple[int, int]]:
    """Run nginx in the foreground; yield its port and its process id."""
    with tempfile.TemporaryDirectory(prefix="kajabi_async-bench-") as folder:
        _write_pages(Path(folder), pages)
        port = _free_port()
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(configured(folder, port))
        process = subprocess.Popen(["nginx", "-p", folder, "-c", str(configuration)], stdin=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(timeout=10)


def configured(folder: str, port: int) -> str:
    """Return the configuration; the id in the path is the id in the answer."""
    plain = shown(ID_PLACE)
    included = shown_with_includes(ID_PLACE).removeprefix(plain.removesuffix("}"))
    return CONFIGURATION.format(
        folder=folder,
        port=port,
        media_type=MEDIA_TYPE,
        token=_literal(TOKEN),
        shown=_literal(plain.removesuffix("}")).replace(ID_PLACE, "${id}"),
        included=_literal(included),
    )


def _literal(text: str) -> str:
    """Return *text* for use in single quotes; nginx has no escape for a dollar sign."""
    assert not set(text) & set("'\\$"), "the documents must not contain quotes, backslashes and dollar signs"
    return text


def _write_pages(folder: Path, pages: int) -> None:
    folder.joinpath("pages").mkdir()
    for number in range(1, pages + 1):
        folder.joinpath("pages", f"{number}.json").write_bytes(listed(number, pages))
    # Workers of an nginx started by root may run as another user.
    folder.chmod(0o755)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"nginx ended with code {process.returncode}; its output is above")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
