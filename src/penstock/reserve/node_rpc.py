"""A small client of a node's JSON-RPC: over loopback or TLS, past all proxies, no secret in a message."""

from __future__ import annotations

import base64
import binascii
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from penstock.errors import Fault, ReserveError
from penstock.reserve.descriptors import NETWORKS, Network
from penstock.reserve.secrets import refuse_secrets

__all__ = ["FOREIGN_SERVICE", "NodeRefusalError", "NodeRpc", "check_node", "satoshi"]

FOREIGN_SERVICE: Final = "BLAKE2B?"  # told by nodes that follow another proof of work
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_COIN = Decimal(100_000_000)


class NodeRefusalError(ReserveError):
    """The node answered with an error. code: of JSON-RPC; 0 where there is none."""

    def __init__(self, fault: Fault, code: int) -> None:
        super().__init__(fault)
        self.code = code


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Credentials go to the address that was given and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class NodeRpc:
    """A node that answers.

    url: http on loopback, https anywhere; without credentials.
    credentials: file with user:password, as the node's own `.cookie`; read at each call, for a node writes a
        new one at each start.
    timeout_s: longest wait for an answer.

    Raises ReserveError.
    """

    def __init__(self, url: str, credentials: Path, timeout_s: float = 120.0) -> None:
        refuse_secrets(url, "--node")
        parts = urllib.parse.urlsplit(url)
        if parts.username is not None or parts.password is not None or "@" in url:
            problem = "an address with credentials in it: it would stand in lists of processes and in logs"
            raise ReserveError(
                Fault("--node", problem, "put user:password into a file and name it with --cookie")
            )
        try:
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ReserveError(Fault("--node", "is no address", "give http://127.0.0.1:8332, say"))
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            problem = "http would send the credentials in the clear to another machine"
            raise ReserveError(Fault("--node", problem, "use https, or a tunnel to 127.0.0.1", value=url))
        self.url, self._credentials, self._timeout_s = url, credentials, timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def call(self, method: str, *parameters: Any) -> Any:
        """The result of one call; amounts are Decimal.

        Raises NodeRefusalError where the node answers with an error, ReserveError where it does not answer.
        """
        return self._result(self._post(_request(method, parameters, 0)), method)

    def calls(self, method: str, many: Sequence[Sequence[Any]]) -> list[Any]:
        """Results of one method for many lists of parameters, in their order, asked for together."""
        if not many:
            return []
        answer = self._post([_request(method, each, place) for place, each in enumerate(many)])
        if not isinstance(answer, list) or len(answer) != len(many):
            raise self._silent("gave no answer that can be read")
        by_place = {each.get("id"): each for each in answer if isinstance(each, dict)}
        return [self._result(by_place.get(place), method) for place in range(len(many))]

    def _result(self, answer: Any, method: str) -> Any:
        if not isinstance(answer, dict) or "result" not in answer:
            raise self._silent("gave no answer that can be read")
        error = answer.get("error")
        if error:
            code = error.get("code", 0) if isinstance(error, dict) else 0
            told = str(error.get("message", ""))[:200] if isinstance(error, dict) else ""
            fault = Fault(self.url, f"the node refused {method}: {told} ({code})", "see what it says")
            raise NodeRefusalError(fault, int(code))
        return answer["result"]

    def _post(self, body: Any) -> Any:
        secret = base64.b64encode(self._secret()).decode("ascii")
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url, json.dumps(body).encode("ascii"), headers)
        problem, text = "", b""
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            if error.code in (401, 403):
                problem = "refused the credentials of the file named with --cookie"
            elif not text.lstrip().startswith((b"{", b"[")):
                problem = f"answered with HTTP status {error.code}"
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            problem = f"does not answer ({type(reason).__name__})"
        if problem:
            raise self._silent(problem)
        try:
            return json.loads(text, parse_float=Decimal)
        except (ValueError, binascii.Error):
            pass
        raise self._silent("gave no answer that can be read")

    def _silent(self, problem: str) -> ReserveError:
        mend = "see that the node runs, and that address and credentials are its own; what was read is kept"
        return ReserveError(Fault(self.url, f"the node {problem}", mend))

    def _secret(self) -> bytes:
        try:
            text = self._credentials.read_bytes().strip()
        except OSError:
            text = b""
        if b":" not in text or len(text) > 1000 or b"\n" in text:
            problem = f"{self._credentials} cannot be read or does not hold user:password"
            raise ReserveError(
                Fault("--cookie", problem, "name the node's .cookie; it is there while the node runs")
            )
        return text


def _request(method: str, parameters: Sequence[Any], number: int) -> dict[str, Any]:
    return {"jsonrpc": "1.0", "id": number, "method": method, "params": list(parameters)}


def check_node(network_info: Mapping[str, Any], chain: str) -> Network:
    """The chain of a node, checked: one that has left Bitcoin's proof of work is refused on the main network.

    network_info: answer to `getnetworkinfo`. chain: of `getblockchaininfo`.

    A node that follows another proof of work says so among its services. On test networks it may serve.

    Raises ReserveError.
    """
    if chain not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ReserveError(
            Fault("node", f"is on a chain that is not known; known are {known}", "use another node")
        )
    if chain == "main":
        services = network_info.get("localservicesnames")
        if not isinstance(services, list):
            problem = (
                "does not tell its services, so it cannot be seen whether it follows Bitcoin's proof of work"
            )
            raise ReserveError(Fault("node", problem, "use a node that answers getnetworkinfo in full"))
        if FOREIGN_SERVICE in services:
            problem = (
                f"reports the service {FOREIGN_SERVICE}: it has left Bitcoin's proof of work, so its"
                " main chain is not Bitcoin's"
            )
            raise ReserveError(
                Fault("node", problem, "use a node of Bitcoin's own chain, such as Bitcoin Core")
            )
    return next(each for each in NETWORKS if each == chain)


def satoshi(amount: object) -> int:
    """An amount in coins as the node tells it, in satoshi, exactly. Raises ReserveError for what is none."""
    try:
        scaled = Decimal(str(amount)) * _COIN
        if scaled == scaled.to_integral_value() and 0 <= scaled <= 21_000_000 * _COIN:
            return int(scaled)
    except ArithmeticError:
        pass
    raise ReserveError(Fault("node", "gave an amount that is none", "use another node"))
