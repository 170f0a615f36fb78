"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only: a step back is a backup restored."""
    op.create_table(
        "claims",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("settled_at", sa.BigInteger, nullable=True),
    )
    op.create_index("claims_by_state", "claims", ["hall", "state", "at"])
    op.create_table(
        "journal",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("day", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("link", sa.String, nullable=False),
    )
    op.create_index("journal_by_day", "journal", ["hall", "day", "seq"])
    op.create_index("journal_by_subject", "journal", ["hall", "subject", "seq"])
    op.create_table(
        "leases",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("writer", sa.String, nullable=False, server_default=""),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("link", sa.String, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "lookups",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("hash", sa.String, primary_key=True),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("lookups_by_expiry", "lookups", ["hall", "expires_at"])
    op.create_table(
        "outbox",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("destination", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.String, nullable=False),
    )
    op.create_index("outbox_by_due", "outbox", ["hall", "state", "due_at"])
    op.create_table(
        "personal",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("personal_by_expiry", "personal", ["hall", "expires_at"])
    op.create_table(
        "ratings",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("service", sa.String, nullable=False, server_default=""),
        sa.Column("level", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("channel", sa.String, nullable=False, server_default=""),
        sa.Column("device", sa.String, nullable=False, server_default=""),
        sa.Column("tags", sa.Text, nullable=False, server_default=""),
        sa.Column("pressed_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("received_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("late", sa.Boolean, nullable=False, server_default="0"),
    )
    op.create_index("ratings_by_service", "ratings", ["hall", "service"])
    op.create_index("ratings_by_time", "ratings", ["hall", "pressed_at"])
    op.create_table(
        "receipts",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("principal", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("receipts_by_age", "receipts", ["hall", "at"])
    op.create_table(
        "services",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("day", sa.String, nullable=False, server_default=""),
        sa.Column("ticket", sa.String, nullable=True),
        sa.Column("window", sa.String, nullable=False, server_default=""),
        sa.Column("staff", sa.String, nullable=False, server_default=""),
        sa.Column("matters", sa.Text, nullable=False, server_default="[]"),
        sa.Column("quantity", sa.Integer, nullable=False, server_default="1"),
        sa.Column("direct", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("called_at", sa.BigInteger, nullable=True),
        sa.Column("started_at", sa.BigInteger, nullable=True),
        sa.Column("finished_at", sa.BigInteger, nullable=True),
        sa.Column("outcome", sa.String, nullable=True),
        sa.Column("invited_at", sa.BigInteger, nullable=True),
        sa.Column("rating", sa.String, nullable=True),
        sa.Column("inferred", sa.String, nullable=False, server_default=""),
    )
    op.create_index("services_by_day", "services", ["hall", "day"])
    op.create_index("services_by_ticket", "services", ["hall", "ticket"])
    op.create_table(
        "tickets",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("day", sa.String, nullable=False, server_default=""),
        sa.Column("number", sa.String, nullable=False, server_default=""),
        sa.Column("queue", sa.String, nullable=False, server_default=""),
        sa.Column("matters", sa.Text, nullable=False, server_default="[]"),
        sa.Column("quantity", sa.Integer, nullable=False, server_default="1"),
        sa.Column("priority", sa.String, nullable=False, server_default=""),
        sa.Column("person", sa.String, nullable=True),
        sa.Column("state", sa.String, nullable=False, server_default=""),
        sa.Column("effective_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("issued_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("called_at", sa.BigInteger, nullable=True),
        sa.Column("arrived_at", sa.BigInteger, nullable=True),
        sa.Column("started_at", sa.BigInteger, nullable=True),
        sa.Column("finished_at", sa.BigInteger, nullable=True),
        sa.Column("window", sa.String, nullable=True),
        sa.Column("calls", sa.Integer, nullable=False, server_default="0"),
        sa.Column("print_state", sa.String, nullable=False, server_default=""),
        sa.Column("outcome", sa.String, nullable=True),
        sa.Column("origin", sa.String, nullable=False, server_default=""),
        sa.Column("token_hash", sa.String, nullable=False, server_default=""),
    )
    op.create_index("tickets_by_day", "tickets", ["hall", "day", "number"])
    op.create_index("tickets_by_token", "tickets", ["hall", "token_hash"])
