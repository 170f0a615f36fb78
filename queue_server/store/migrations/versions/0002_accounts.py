"""Staff accounts, their sessions, and paired screens and agents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only: a step back is a backup restored."""
    op.create_table(
        "staff",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("staff", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("roles", sa.String, nullable=False),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("staff", sa.String, nullable=False),
        sa.Column("window", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "paired",
        sa.Column("hall", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("of", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("paired_by_digest", "paired", ["hall", "digest"])
