"""Options that several commands of `penstock reserve` take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.errors import Fault, InputError

if TYPE_CHECKING:
    from penstock.reserve.node_rpc import NodeRpc

__all__ = ["CookieOption", "DatabaseOption", "NodeOption", "WalletOption", "node_of", "read_file"]

DatabaseOption = Annotated[
    Path,
    typer.Option("--database", metavar="FILE", help="Database of watched wallets (penstock reserve watch)."),
]
NodeOption = Annotated[
    str, typer.Option("--node", metavar="URL", help="JSON-RPC of a node, e.g. http://127.0.0.1:8332.")
]
CookieOption = Annotated[
    Path,
    typer.Option("--cookie", metavar="FILE", help="The node's cookie file, or a file with user:password."),
]
WalletOption = Annotated[
    list[str] | None,
    typer.Option("--wallet", metavar="NAME", help="One of the wallets; all where not given."),
]


def node_of(url: str, cookie: Path) -> NodeRpc:
    """The node, refused where it is on the main network and has left Bitcoin's proof of work."""
    from penstock.reserve.node_rpc import NodeRpc, check_node

    node = NodeRpc(url, cookie)
    check_node(node.call("getnetworkinfo"), node.call("getblockchaininfo")["chain"])
    return node


def read_file(path: Path, option: str) -> bytes:
    """The bytes of a file. Raises InputError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
        raise InputError(Fault(option, problem, "name a file that is there", value=str(path))) from None
