"""The tables as the code sees them; the migrations make them, and a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()


def _text(name: str, *, primary_key: bool = False) -> "Column[str]":
    return Column(name, String, primary_key=primary_key, nullable=False, server_default=None if primary_key else "")


def _maybe_text(name: str) -> "Column[str | None]":
    return Column(name, String, nullable=True)


def _ms(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False, server_default="0")


def _maybe_ms(name: str) -> "Column[int | None]":
    return Column(name, BigInteger, nullable=True)


def _count(name: str) -> "Column[int]":
    return Column(name, Integer, nullable=False, server_default="0")


leases = Table(
    "leases",
    metadata,
    Column("hall", String, primary_key=True),
    _text("writer"),
    Column("epoch", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("link", String, nullable=False),
    Column("beat", BigInteger, nullable=False),
)
"""One row a hall: who writes (epoch), how far (head, link), and a counter that moves with every renewal."""

journal = Table(
    "journal",
    metadata,
    Column("hall", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("subject", String, nullable=False),
    Column("day", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("data", Text, nullable=False),
    Column("link", String, nullable=False),
    Index("journal_by_day", "hall", "day", "seq"),
    Index("journal_by_subject", "hall", "subject", "seq"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("hall", String, primary_key=True),
    Column("principal", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("receipts_by_age", "hall", "at"),
)

tickets = Table(
    "tickets",
    metadata,
    _text("hall", primary_key=True),
    _text("id", primary_key=True),
    _text("day"),
    _text("number"),
    _text("queue"),
    Column("matters", Text, nullable=False, server_default="[]"),
    Column("quantity", Integer, nullable=False, server_default="1"),
    _text("priority"),
    _maybe_text("person"),
    _text("state"),
    _ms("effective_at"),
    _ms("issued_at"),
    _maybe_ms("called_at"),
    _maybe_ms("arrived_at"),
    _maybe_ms("started_at"),
    _maybe_ms("finished_at"),
    _maybe_text("window"),
    _count("calls"),
    _text("print_state"),
    _maybe_text("outcome"),
    _text("origin"),
    Index("tickets_by_day", "hall", "day"),
)

services = Table(
    "services",
    metadata,
    _text("hall", primary_key=True),
    _text("id", primary_key=True),
    _text("day"),
    _maybe_text("ticket"),
    _text("window"),
    _text("staff"),
    Column("matters", Text, nullable=False, server_default="[]"),
    Column("quantity", Integer, nullable=False, server_default="1"),
    Column("direct", Boolean(create_constraint=False), nullable=False, server_default="0"),
    _maybe_ms("called_at"),
    _maybe_ms("started_at"),
    _maybe_ms("finished_at"),
    _maybe_text("outcome"),
    _maybe_ms("invited_at"),
    Column("qr_offered", Boolean(create_constraint=False), nullable=True),
    _maybe_text("rating"),
    _text("inferred"),
    Index("services_by_day", "hall", "day"),
    Index("services_by_ticket", "hall", "ticket"),
)

ratings = Table(
    "ratings",
    metadata,
    _text("hall", primary_key=True),
    _text("id", primary_key=True),
    _text("service"),
    Column("level", SmallInteger, nullable=False, server_default="0"),
    _text("channel"),
    _text("device"),
    Column("tags", Text, nullable=False, server_default=""),
    _ms("pressed_at"),
    _ms("received_at"),
    Column("late", Boolean(create_constraint=False), nullable=False, server_default="0"),
    Index("ratings_by_service", "hall", "service"),
    Index("ratings_by_time", "hall", "pressed_at"),
)

projected = {"tickets": tickets, "services": services, "ratings": ratings}

personal = Table(
    "personal",
    metadata,
    Column("hall", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("personal_by_expiry", "hall", "expires_at"),
)

lookups = Table(
    "lookups",
    metadata,
    Column("hall", String, primary_key=True),
    Column("hash", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("lookups_by_expiry", "hall", "expires_at"),
)

claims = Table(
    "claims",
    metadata,
    Column("hall", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("target", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("settled_at", BigInteger, nullable=True),
    Index("claims_by_state", "hall", "state", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("hall", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("destination", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", String, nullable=False),
    Index("outbox_by_due", "hall", "state", "due_at"),
)

staff = Table(
    "staff",
    metadata,
    Column("hall", String, primary_key=True),
    Column("staff", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("password", String, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hall", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("staff", String, nullable=False),
    Column("window", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

paired = Table(
    "paired",
    metadata,
    Column("hall", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("role", String, nullable=False),
    Column("of", String, nullable=False),
    Column("name", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("paired_by_digest", "hall", "digest"),
)
