"""`yichuang certificate`: a hall's own authority, made once, and the server's certificate that it signs (UX X-13)."""

import datetime
import os
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from queue_server.app.terminal import own

AUTHORITY, AUTHORITY_KEY, SERVER = "authority.crt", "authority.key", "hall.pem"
"""What is installed on every PC; what never leaves the server; certificate and key for `yichuang serve --certificate`."""

AUTHORITY_DAYS: Final = 3650
SERVER_LIFE: Final = datetime.timedelta(days=825, seconds=-1)
"""From its first second to its last: iPads refuse a server's certificate of more than 825 days, from an installed authority too
(Apple HT210176)."""
EARLIER: Final = datetime.timedelta(days=1)
"""It begins so long before now: the clocks of a hall's PCs are not all right."""

PRIVATE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
"""The addresses of local networks: a hall's server may move among them."""
NO_NAME: Final = "invalid"
"""A name that nobody has (RFC 6761): without any, an authority would be good for every name."""

TORN: Final = (
    "authority.crt and authority.key in {folder} do not belong together: bring them back from a backup, "
    "or give another --folder and install its authority.crt on every PC"
)
OVER: Final = "the authority in {folder} is over: give another --folder, and install its authority.crt on every PC"
OUTSIDE: Final = (
    "the authority in {folder} may not vouch for {name}: give another --folder with every --for, "
    "and install its authority.crt on every PC"
)
NAMELESS: Final = "{file} says for no name that it is good: say for which with --for"
WRITTEN: Final = "Written: {certificate}, for {hosts}, good until {until}."
INSTALL: Final = """\
1. Install {authority} on every PC whose browser or device agent opens the hall. Copy this file alone; the others stay here.
   Windows: double-click it, Install Certificate, Local Machine, place it in "Trusted Root Certification Authorities".
   Debian, UOS, Kylin: sudo cp authority.crt /usr/local/share/ca-certificates/yichuang.crt && sudo update-ca-certificates
   and in the browser: Settings, Privacy and security, Manage certificates, Authorities, Import. Firefox always: there too.
   The phones of citizens do not have it and will warn; for them see the handbook."""
INSTALLED: Final = "1. Nothing is to be installed on the PCs: the authority is the one they have."
START: Final = """\
2. Serve with it: yichuang serve --hall HALL.toml --certificate {certificate}
3. Before {until}: yichuang certificate --folder {folder} --renew, and start the server again. The manager's page reminds you."""

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Refused(Exception):
    """Nothing was written; the sentence says what to do. `usage`: what was typed makes no sense."""

    def __init__(self, sentence: str, *, usage: bool = False) -> None:
        super().__init__(sentence)
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, for whom it is good, and until when."""

    folder: Path
    hosts: tuple[str, ...]
    until: datetime.datetime
    new_authority: bool

    def told(self) -> dict[str, object]:
        """For machines."""
        return {
            "certificate": str(self.folder / SERVER),
            "authority": str(self.folder / AUTHORITY),
            "hosts": self.hosts,
            "until": f"{self.until:%Y-%m-%d}",
            "new_authority": self.new_authority,
        }

    def advice(self) -> str:
        """What to do now, for people."""
        figures = {**self.told(), "hosts": ", ".join(self.hosts), "folder": self.folder}
        install = own(INSTALL, **figures) if self.new_authority else own(INSTALLED)
        return "\n".join((own(WRITTEN, **figures), install, own(START, **figures)))


def hosts_here(address: str) -> list[str]:
    """This machine's address in the LAN, and its name where it is one that others may use."""
    if ip_address(address).is_loopback:
        raise Refused(
            own("this machine has no address in a network: say with --for what browsers will open"), usage=True
        )
    name = socket.gethostname().lower()
    return [address, name] if _NAME.fullmatch(name) and name != "localhost" else [address]


def make(folder: Path, asked: Sequence[str], now: datetime.datetime, *, renew: bool = False) -> Made:
    """Sign a certificate for these names and addresses, or with none for those it has had; the authority is made if need be.

    Refused for what is no name, for a certificate that is there already unless `renew`, and for a name that the authority
    may not vouch for; OSError for a folder that cannot be written.
    """
    server = folder / SERVER
    if server.exists() and not renew:
        until = f"{_first(server).not_valid_after_utc:%Y-%m-%d}"
        sentence = "{file} is there, good until {until}: a new one in its place is made with --renew"
        raise Refused(own(sentence, file=server, until=until))
    hosts = _hosts(asked) if asked else _named(server)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = not (folder / AUTHORITY).exists()
    if new and server.exists():  # the PCs have the one that is missing; its key may lie there still
        raise Refused(own(TORN, folder=folder))
    if new:
        _make_authority(folder, hosts, now)
    authority, key = _authority(folder)
    _judge(authority, hosts, now, folder)
    begins = now - EARLIER
    ends = min(begins + SERVER_LIFE, authority.not_valid_after_utc)
    fresh = ec.generate_private_key(ec.SECP256R1())
    signed = _server(authority, key, fresh.public_key(), hosts, (begins, ends))
    _write(server, signed.public_bytes(serialization.Encoding.PEM) + _private(fresh))
    return Made(folder, tuple(map(str, hosts)), ends, new)


def ends_at(file: Path) -> int:
    """When the certificate of a PEM file ends, in ms UTC; Refused or OSError for a file without one."""
    return int(_first(file).not_valid_after_utc.timestamp() * 1000)


def _hosts(asked: Iterable[str]) -> list[str | Address]:
    """Names in the form that certificates have, and addresses; each once."""
    found: dict[str | Address, None] = {}
    for text in asked:
        if address := _address(text):
            found[address] = None
            continue
        try:
            name = text.lower().encode("idna").decode()
        except UnicodeError:
            name = ""
        if not _NAME.fullmatch(name) or name.rpartition(".")[2].isdecimal():  # an address with a slip of the pen
            sentence = (
                "{name} is neither a name nor an address: write it as browsers have it between https:// and the port"
            )
            raise Refused(own(sentence, name=text), usage=True)
        found[name] = None
    return list(found)


def _address(text: str) -> Address | None:
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def _named(file: Path) -> list[str | Address]:
    try:
        names = _first(file).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise Refused(own(NAMELESS, file=file)) from error
    hosts = [*names.get_values_for_type(x509.DNSName), *names.get_values_for_type(x509.IPAddress)]
    return [host for host in hosts if not isinstance(host, Network)]


def _first(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError as error:
        raise Refused(own("{file} is no certificate: move it away, then try again", file=file)) from error


def _make_authority(folder: Path, hosts: Sequence[str | Address], now: datetime.datetime) -> None:
    """For local networks, and beyond them for nothing but these hosts: a stolen key opens no bank's page on a clerk's PC."""
    names = [host for host in hosts if isinstance(host, str)] or [NO_NAME]
    outside = [ip_network(host) for host in hosts if not isinstance(host, str) and not _private_address(host)]
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    permitted += [x509.IPAddress(network) for network in (*PRIVATE, *outside)]
    key = ec.generate_private_key(ec.SECP256R1())
    names_of = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Yichuang {_plain(hosts[0])} {now:%Y-%m-%d}")])
    made = (
        _begun(names_of, names_of, key.public_key(), (now - EARLIER, now + datetime.timedelta(days=AUTHORITY_DAYS)))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
    )
    # The key first: an authority without one could never renew.
    _write(folder / AUTHORITY_KEY, _private(key))
    signed = made.sign(key, hashes.SHA256())
    _write(folder / AUTHORITY, signed.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _plain(host: str | Address) -> str:
    return str(host)[:32]  # a common name has 64 characters


def _private_address(host: Address) -> bool:
    return any(host in network for network in PRIVATE)


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = _first(folder / AUTHORITY)
        key = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError) as error:
        raise Refused(own(TORN, folder=folder)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise Refused(own(TORN, folder=folder))
    return certificate, key


def _judge(authority: x509.Certificate, hosts: Iterable[str | Address], now: datetime.datetime, folder: Path) -> None:
    """Refused when the authority is over, or may not vouch for a host."""
    if authority.not_valid_after_utc <= now:
        raise Refused(own(OVER, folder=folder))
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:  # one of the unit's own, good for every name
        return
    for host in hosts:
        if not any(_covers(each.value, host) for each in constraints.permitted_subtrees or ()):
            raise Refused(own(OUTSIDE, name=host, folder=folder))


def _covers(permitted: str | Network, host: str | Address) -> bool:
    """RFC 5280, 4.2.1.10: a name covers itself and what lies below it."""
    if isinstance(permitted, str):
        return isinstance(host, str) and (host == permitted or host.endswith("." + permitted))
    return not isinstance(host, str) and host in permitted


def _server(
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    hosts: Sequence[str | Address],
    valid: tuple[datetime.datetime, datetime.datetime],
) -> x509.Certificate:
    names = [x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host) for host in hosts]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _plain(hosts[0]))])
    return (
        _begun(subject, authority.subject, public, valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    valid: tuple[datetime.datetime, datetime.datetime],
) -> x509.CertificateBuilder:
    """What both kinds have."""
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    made = made.serial_number(x509.random_serial_number()).not_valid_before(valid[0]).not_valid_after(valid[1])
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Whole or not at all, and never readable by others even for a moment."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of a machine that went off, and gives the same number again
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
