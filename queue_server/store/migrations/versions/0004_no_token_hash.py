"""The hash of a ticket's token goes: a token proves itself, nothing ever looked one up, and each ticket paid for the index."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only: a step back is a backup restored."""
    op.drop_index("tickets_by_token", "tickets")
    op.drop_column("tickets", "token_hash")
