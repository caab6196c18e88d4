"""A real Bitcoin node on regtest, for the tests alone: fetched once, started and ended by them.

The node is Bitcoin Knots as Debian packages it. Debian stable has none, so its packages are taken from the
machine's own Debian mirror with the suite changed to sid, unpacked to a private folder and started through
their own loader: nothing is installed. Where that cannot be done, `why_not` says why, and the test session
names what is missing.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "node"
PACKAGE = "bitcoin-knots"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_LOADER = f"{_LIBRARIES}/ld-linux-x86-64.so.2"


class NodeError(Exception):
    """What the node answered in place of a result. code: of JSON-RPC."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


@cache
def why_not() -> str:
    """Why there is no node here; "" where there is one."""
    if (CACHE / "root" / _LOADER).is_file() and _binary().is_file():
        return ""
    missing = [tool for tool in ("apt-get", "dpkg") if shutil.which(tool) is None]
    if missing:
        return f"no real Bitcoin node: {', '.join(missing)} is not here to fetch one"
    try:
        _fetch()
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        return f"no real Bitcoin node: {error}"
    return ""


def _binary() -> Path:
    return CACHE / "root" / "usr" / "bin" / "bitcoind"


def _fetch() -> None:
    """Fetches and unpacks into a folder beside, then moves it: nobody meets half of it."""
    CACHE.parent.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="node-", dir=CACHE.parent))
    try:
        for name in ("state/lists/partial", "cache/archives/partial", "root"):
            (work / name).mkdir(parents=True)
        (work / "state" / "status").touch()
        (work / "sid.list").write_text(_source(), "utf-8")
        options = [
            f"Dir::State={work}/state",
            f"Dir::State::status={work}/state/status",
            f"Dir::Cache={work}/cache",
            f"Dir::Etc::sourcelist={work}/sid.list",
            "Dir::Etc::sourceparts=/dev/null",
            "Debug::NoLocking=1",
            "APT::Install-Recommends=false",
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
        ]
        chosen = [part for option in options for part in ("-o", option)]
        for words in (["update"], ["install", "-y", "--download-only", PACKAGE]):
            _run(["apt-get", *chosen, *words])
        for package in sorted((work / "cache" / "archives").glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(work / "root")])
        try:
            work.replace(CACHE)
        except OSError:
            if not _binary().is_file():  # another session was not quicker: a real fault
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stderr.strip()[-300:]}")


def _source() -> str:
    """The machine's own Debian source with the suite sid."""
    for path in (*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")):
        text = path.read_text("utf-8") if path.is_file() else ""
        for address in re.findall(r"^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(https?://\S+/debian)/?\s*", text, re.M):
            key = "/usr/share/keyrings/debian-archive-keyring.gpg"
            return f"deb [signed-by={key}] {address} sid main\n"
    raise RuntimeError("this machine names no Debian mirror")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


class RealNode:
    """A node on regtest in a folder of its own, on loopback; it ends its own process alone."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.arguments = folder, arguments
        self.rpc_port, self.p2p_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the JSON-RPC, without credentials."""
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def cookie(self) -> Path:
        """File with the credentials of this run."""
        return self.folder / "regtest" / ".cookie"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the process and waits until it answers."""
        if missing := why_not():
            raise RuntimeError(missing)
        root = CACHE / "root"
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [
            *(str(root / _LOADER), "--library-path", f"{root / _LIBRARIES}:{root / _LIBRARIES / 'systemd'}"),
            *(str(_binary()), "-regtest", f"-datadir={self.folder}", "-server", "-listen", "-txindex"),
            *("-blockfilterindex=1", "-peerblockfilters=1", "-fallbackfee=0.0001", "-dnsseed=0"),
            *(f"-bind=127.0.0.1:{self.p2p_port}", f"-rpcport={self.rpc_port}", "-rpcbind=127.0.0.1"),
            *("-rpcallowip=127.0.0.1", "-printtoconsole=0", "-listenonion=0", "-natpmp=0", *self.arguments),
        ]
        environment = {"HOME": str(self.folder), "PATH": os.defpath}
        self.process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        until = time.monotonic() + 60.0
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"the node ended with {self.process.returncode}: see {self.folder}")
            try:
                self.rpc("getblockchaininfo")
                return
            except (OSError, NodeError):
                time.sleep(0.05)
        self.stop()
        raise RuntimeError("the node did not answer in 60 s")

    def stop(self) -> None:
        """Ends the process that was started here, gently, then not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(30.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def rpc(self, method: str, *parameters: Any, wallet: str | None = None) -> Any:
        """What the node answers. Raises NodeError for a refusal, OSError where it is not there."""
        path = "" if wallet is None else f"/wallet/{wallet}"
        body = json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": parameters}).encode()
        secret = base64.b64encode(self.cookie.read_bytes()).decode()
        request = urllib.request.Request(
            self.url + path, body, {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60.0) as answer:
                return json.load(answer)["result"]
        except urllib.error.HTTPError as error:
            told = json.loads(error.read() or b"{}").get("error")
            code, message = (told["code"], told["message"]) if told else (error.code, str(error))
            raise NodeError(code, message) from None

    def mine(self, blocks: int, address: str | None = None) -> list[str]:
        """Mines blocks to an address, one that nobody spends from where None; their hashes."""
        to = address or "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202"
        found: list[str] = self.rpc("generatetoaddress", blocks, to)
        return found
