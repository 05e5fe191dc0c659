"""A forked child drops the client that it inherits: nothing it does reaches the parent's connections."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

_PARENT = """
import asyncio, gc, os, ssl, sys, warnings
import aiohttp
from aiohttp import web
from kajabi_async import ClientClosedError, Kajabi, Timeouts, WrongLoopError

FORKS, TLS = int(sys.argv[1]), sys.argv[2]
connections = set()
release = asyncio.Event()

async def answer(request):
    connections.add(request.transport)
    if request.path.endswith("/oauth/token"):
        return web.json_response({"access_token": "t", "expires_in": 9999})
    if request.path.endswith("/2"):
        await release.wait()
    body = b'{"data": {"type": "customers", "id": "%s", "attributes": {}}}' % request.path.split("/")[-1].encode()
    return web.Response(body=body, content_type="application/vnd.api+json")

def child(number, api):
    # A child that tidies up what it inherited, each in another way; it comes back to life within the running loop.
    asyncio._set_running_loop(None)
    said = []
    async def use():
        try:
            await api.customers.get("1")
        except (WrongLoopError, ClientClosedError) as error:
            said.append(type(error).__name__)
    async def close():
        await api.aclose()
        await api.aclose()
    async def leave():
        async with api:
            pass
    way = number % 4
    if way == 0:
        asyncio.run(close())
    elif way == 1:
        asyncio.run(leave())
    elif way == 2:
        asyncio.run(use())
        assert said == ["WrongLoopError"], said
    del api
    gc.collect()

async def main():
    context = None
    if TLS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS)
    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    base = f"{'https' if TLS else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    async with Kajabi(client_id="a", client_secret="b", base_url=base, timeout=Timeouts(total=300, read=300)) as api:
        await api.customers.get("1")
        under_way = asyncio.create_task(api.customers.get("2"))
        await asyncio.sleep(0.1)
        await api.customers.get("1")
        for number in range(FORKS):
            pid = os.fork()
            if pid == 0:
                try:
                    child(number, api)
                    del api, under_way
                    gc.collect()
                except BaseException as error:
                    print("child", repr(error), flush=True)
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(pid, 0)
            assert status == 0, status
            assert (await api.customers.get("1")).id == "1"
        release.set()
        assert (await under_way).id == "2"
        print("parent", api.stats.resent, "sent again", api.stats.retries, "retried", flush=True)
    await runner.cleanup()

asyncio.run(main())
"""


def _parent(*arguments: str, root: str = "") -> list[str]:
    environment = os.environ | {"SSL_CERT_FILE": root} if root else None
    command = [sys.executable, "-c", _PARENT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.stderr == "", done.stderr
    assert done.returncode == 0
    return done.stdout.splitlines()


@pytest.mark.parametrize("children", [12, pytest.param(100, marks=pytest.mark.thorough)])
def test_children_disturb_neither_a_pool_nor_a_request_under_way(children: int) -> None:
    """Whether they close, use or drop the client."""
    assert _parent(str(children), "") == ["parent 0 sent again 0 retried"]


def test_children_say_nothing_on_connections_with_tls(tmp_path: Path) -> None:
    """A single record from a child would end the connection of the parent."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "root.pem")
    root = str(tmp_path / "root.pem")
    assert _parent("12", str(tmp_path / "server.pem"), root=root) == ["parent 0 sent again 0 retried"]
