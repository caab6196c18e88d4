"""An Electrum server for the tests: ElectrumX (package `e-x`) in an environment of its own, on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real_node import CACHE, RealNode, free_port

HOME = CACHE.parent / "electrumx"
PACKAGE = "e-x==1.20.0"
# Answers are padded against onlookers, and wait for more to pad with: ten seconds for nothing, in a test.
_START = """
import asyncio
from electrumx.server import session
for name in dir(session):
    if hasattr(getattr(session, name), "WAIT_FOR_BUFFER_GROWTH_SECONDS"):
        getattr(session, name).WAIT_FOR_BUFFER_GROWTH_SECONDS = 0
from electrumx import Controller, Env
from electrumx.lib.coins import Bitcoin
import logging
logging.basicConfig(level=logging.INFO)
asyncio.run(Controller(Env()).run())
"""


@cache
def why_no_server() -> str:
    """Why there is no Electrum server here; "" where there is one. Fetched once into `.cache/electrumx`."""
    if (HOME / "bin" / "electrumx_server").is_file():
        return ""
    try:
        # Made in place, for an environment knows its own path; taken away if it fails.
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(HOME)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        pip = [
            str(HOME / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            "plyvel",
            PACKAGE,
        ]
        done = subprocess.run(pip, capture_output=True, text=True, timeout=240, check=False)
        if made.returncode or done.returncode:
            shutil.rmtree(HOME, ignore_errors=True)
            return f"no Electrum server: {PACKAGE} cannot be installed: {done.stderr.strip()[-200:]}"
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(HOME, ignore_errors=True)
        return f"no Electrum server: {error}"
    return ""


class ElectrumServer:
    """A server over a node. Use it in a `with`; it ends its own process alone."""

    def __init__(self, folder: Path, node: RealNode) -> None:
        self.folder, self.node = folder, node
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        daemon = f"http://{self.node.cookie.read_text('utf-8')}@127.0.0.1:{self.node.rpc_port}"
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "COIN": "Bitcoin",
            "NET": "regtest",
            "DB_DIRECTORY": str(self.folder),
            "DAEMON_URL": daemon,
            "SERVICES": f"tcp://127.0.0.1:{self.port}",
            "ALLOW_ROOT": "1",
            "PEER_DISCOVERY": "off",
            "COST_SOFT_LIMIT": "0",
            "COST_HARD_LIMIT": "0",
        }
        words = [str(HOME / "bin" / "python"), "-c", _START]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def wait_for(self, height: int) -> None:
        """Waits until the server has read the node's blocks up to a height."""
        import bdkpython

        until = time.monotonic() + 60.0
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {(self.folder / 'log').read_text('utf-8')[-500:]}")
            try:
                client = bdkpython.ElectrumClient(self.url, None, 5, 0, True)
                if client.block_headers_subscribe().height >= height:
                    return
            except bdkpython.ElectrumError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"the server did not reach block {height}")
