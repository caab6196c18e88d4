"""A real PostgreSQL for the tests: a cluster of its own in a folder, on loopback, ended by who began it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real_node import free_port


@cache
def binaries() -> Path | None:
    """Folder with `initdb` and `postgres`; None where there is none."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.defpath.split(os.pathsep))]
    found = shutil.which("initdb")
    places += [Path(found).resolve().parent] if found else []
    fit = [place for place in places if (place / "initdb").is_file() and (place / "postgres").is_file()]
    return max(fit, default=None)


def why_not() -> str:
    """Why there is no PostgreSQL here; "" where there is one."""
    return "" if binaries() else "no real PostgreSQL: initdb and postgres are not installed"


class RealPostgres:
    """A cluster. It does not run as root: there it takes the user nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.user = "nobody" if os.geteuid() == 0 else None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of its database, without a password."""
        return f"postgresql://penstock@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        place = binaries()
        if place is None:
            raise RuntimeError(why_not())
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.user is not None:
            nobody = pwd.getpwnam(self.user)
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            for parent in self.folder.parents:  # so that nobody may reach the folder
                if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        data = str(self.folder / "data")
        words = [
            str(place / "initdb"),
            "-D",
            data,
            "-U",
            "penstock",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(words, check=True, capture_output=True, user=self.user, cwd="/")
        options = [
            f"-cport={self.port}",
            "-clisten_addresses=127.0.0.1",
            f"-cunix_socket_directories={self.folder}",
        ]
        self.process = subprocess.Popen(
            [str(place / "postgres"), "-D", data, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self.user,
            cwd="/",
        )
        self._wait(place)
        return self

    def _wait(self, place: Path) -> None:
        until = time.monotonic() + 60.0
        ask = [str(place / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ask, capture_output=True, check=False).returncode:
            if time.monotonic() > until or (self.process and self.process.poll() is not None):
                raise RuntimeError(f"PostgreSQL did not start: see {self.folder}")
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60.0)
            self.process = None
