"""The index of a day's tickets loses the number: nothing looked for one there, and each number wrote to a page of its own."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only: a step back is a backup restored."""
    op.drop_index("tickets_by_day", "tickets")
    op.create_index("tickets_by_day", "tickets", ["hall", "day"])
