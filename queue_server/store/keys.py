"""The key file beside the database, and the three things done with it: chaining, looking up, sealing (RULES 91, 96)."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from queue_server.store.port import Broken, Unavailable

KEY_FILE: Final = "yichuang.keys"
_NONCE: Final = 12
_TAG: Final = 16
_encode = msgspec.json.Encoder().encode
_HEAD: Final = 2  # the key's number, big endian, in front of every sealed text


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The file: keys in hex; the last of `personal` seals, all of them open."""

    chain: str
    lookup: str
    personal: list[str]


class Keys:
    """The three kinds of keys, loaded. Nothing here is ever logged or put into a message."""

    __slots__ = ("_chain", "_lookup", "_personal", "_requests")

    def __init__(self, chain: bytes, lookup: bytes, personal: list[bytes]) -> None:
        self._chain = HMAC(chain, SM3())
        self._lookup = HMAC(lookup, SM3())
        self._requests = hashlib.blake2b(digest_size=16, key=lookup, person=b"request")
        self._personal = personal

    def link(self, previous: str, fields: tuple[str | int, ...]) -> str:
        """Hex HMAC-SM3 of [previous link, *the row's fields without its link], a JSON array in UTF-8 without spaces."""
        mac = self._chain.copy()
        mac.update(_encode((previous, *fields)))
        return mac.finalize().hex()

    def identity_hash(self, hall: str, kind: str, identity: str) -> str:
        """Hex HMAC-SM3 of hall, kind and identity: equal for equal identities in one hall, telling nothing else."""
        mac = self._lookup.copy()
        mac.update(msgspec.json.encode((hall, kind, identity)))
        return mac.finalize().hex()

    def fingerprint(self, request: bytes) -> str:
        """Hex keyed BLAKE2b of what was asked, for the next thirty days: it may hold an identity, which could be guessed.

        Every request pays for it, and nobody outside ever compares it: a quarter of the time that SM3 takes.
        """
        mac = self._requests.copy()
        mac.update(request)
        return mac.hexdigest()

    def seal(self, place: tuple[str, ...], clear: bytes) -> bytes:
        """SM4-GCM under the newest key. `place` (hall, person, kind) is authenticated, so a row cannot be moved."""
        number = len(self._personal) - 1
        head = number.to_bytes(_HEAD, "big")
        nonce = secrets.token_bytes(_NONCE)
        box = Cipher(algorithms.SM4(self._personal[number]), modes.GCM(nonce)).encryptor()
        box.authenticate_additional_data(head + msgspec.json.encode(place))
        return head + nonce + box.update(clear) + box.finalize() + box.tag

    def unseal(self, place: tuple[str, ...], sealed: bytes) -> bytes:
        """The clear text; Broken when it was changed, moved, or sealed with a key that is gone."""
        head, nonce = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE]
        text, tag = sealed[_HEAD + _NONCE : -_TAG], sealed[-_TAG:]
        number = int.from_bytes(head, "big")
        if len(sealed) < _HEAD + _NONCE + _TAG or number >= len(self._personal):
            raise Broken("personal data was sealed with a key that the key file does not hold: restore the key file")
        box = Cipher(algorithms.SM4(self._personal[number]), modes.GCM(nonce, tag)).decryptor()
        box.authenticate_additional_data(head + msgspec.json.encode(place))
        try:
            return box.update(text) + box.finalize()
        except InvalidTag as error:
            raise Broken("personal data was changed in the database, or belongs to other keys") from error


def exists(folder: Path) -> bool:
    """Whether the key file is there."""
    return (folder / KEY_FILE).exists()


def load(folder: Path) -> Keys:
    """The keys of `folder`, made on first use (file mode 0600). Unavailable when they cannot be read safely."""
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _write_new(path, _File(secrets.token_hex(32), secrets.token_hex(32), [secrets.token_hex(16)]))
        return _keys(_read(path))
    except OSError as error:
        raise Unavailable(f"the key file {path} cannot be used: {error.strerror}") from error


def rotate(folder: Path) -> Keys:
    """Add a key for personal data; what was sealed before stays readable until it expires."""
    path = folder / KEY_FILE
    file = _read(path)
    file.personal.append(secrets.token_hex(16))
    fresh = _write_beside(path, file)
    os.replace(fresh, path)
    _sync_folder(folder)
    return _keys(file)


def _keys(file: _File) -> Keys:
    return Keys(bytes.fromhex(file.chain), bytes.fromhex(file.lookup), [bytes.fromhex(key) for key in file.personal])


def _read(path: Path) -> _File:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise Unavailable(f"the key file {path} can be read by others: run chmod 600 on it, then start again")
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unavailable(f"the key file {path} is damaged: restore it from the backup") from error


def _write_beside(path: Path, file: _File) -> Path:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return fresh


def _write_new(path: Path, file: _File) -> None:
    """Whole or not at all; when two processes start at once, the first one's keys are everybody's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _write_beside(path, file)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows keeps a folder's entries by itself and refuses to open one
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
