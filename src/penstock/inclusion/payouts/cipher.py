"""Personal data at rest: destinations and invoices, encrypted under a key that stays in a file of the user.

Fernet (AES-128-CBC with HMAC-SHA256, of the `cryptography` library). The key opens a journal and nothing
else: it can move no money. What is encrypted carries the run and the beneficiary it belongs to, so that a
row cannot be given the destination of another.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from penstock.errors import Fault, PayoutError

__all__ = ["Cipher", "make_key", "read_key"]

_MEND = "name the file that penstock payout key made for this journal"


class Cipher:
    """Encrypts and opens texts of a journal. key: 32 bytes in base64, as `make_key` gives them.

    Raises PayoutError for a key that is none.
    """

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except (ValueError, TypeError):
            raise PayoutError(Fault("--key", "holds no key", _MEND)) from None
        self._salt = hashlib.sha256(b"penstock payout salt" + key).digest()

    def closed(self, text: str, run: str, what: str) -> bytes:
        """The text encrypted. what: the beneficiary or the batch it belongs to."""
        return self._fernet.encrypt(json.dumps([run, what, text]).encode())

    def opened(self, token: bytes, run: str, what: str) -> str:
        """What was encrypted. Raises PayoutError where the key is another, or the text is of another row."""
        try:
            found = json.loads(self._fernet.decrypt(bytes(token)))
        except InvalidToken:
            raise PayoutError(Fault("--key", "does not open this journal", _MEND)) from None
        if found[:2] != [run, what]:
            problem = "holds a destination that belongs to another row: somebody changed it"
            mend = "pay nobody from it; find out who wrote to the database"
            raise PayoutError(Fault("journal", problem, mend))
        return str(found[2])

    def salt(self, run: str, beneficiary: str) -> str:
        """A salt for one beneficiary's receipt: the same each time, not to be guessed without the key."""
        text = json.dumps([run, beneficiary]).encode()
        return hmac.new(self._salt, text, hashlib.sha256).hexdigest()

    def mark(self) -> str:
        """What tells whether a journal was begun with this key, and gives nothing of it away."""
        return self.salt("", "")[:16]


def make_key(path: Path) -> None:
    """Writes a new key to a file that is not there yet, for its owner alone to read.

    Raises PayoutError where the file is there or cannot be written.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(Fernet.generate_key() + b"\n")
    except FileExistsError:
        problem = "is there already, and a journal may need it"
        raise PayoutError(Fault(str(path), problem, "name another file")) from None
    except OSError as error:
        problem = f"cannot be written: {error.strerror or type(error).__name__}"
        raise PayoutError(Fault(str(path), problem, "name a file in a folder that can be written")) from None


def read_key(path: Path) -> Cipher:
    """The cipher of a key file. Raises PayoutError where it cannot be read or others may read it."""
    try:
        mode, key = path.stat().st_mode, path.read_bytes()[:200].strip()
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
        mend = "make one with penstock payout key FILE, and keep it"
        raise PayoutError(Fault(str(path), problem, mend)) from None
    if mode & 0o077:
        raise PayoutError(Fault(str(path), "may be read by others", f"chmod 600 {path}"))
    return Cipher(key)
