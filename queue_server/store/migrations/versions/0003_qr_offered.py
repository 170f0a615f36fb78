"""Whether a service's invitation was the QR code because no rating device worked (RULES 38), also for the services there are."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BATCH = 1_000


def upgrade() -> None:
    """Forward only: a step back is a backup restored."""
    op.add_column("services", sa.Column("qr_offered", sa.Boolean(create_constraint=False), nullable=True))
    connection = op.get_bind()
    told = sa.text(
        "select hall, kind, data from journal where kind in ('RatingInvited', 'FinishUndone') order by hall, seq"
    )
    offered: dict[tuple[str, str], bool | None] = {}
    for hall, kind, data in connection.execute(told):
        fields = json.loads(data)
        offered[hall, fields["service"]] = not fields["device"] if kind == "RatingInvited" else None
    services = sa.table("services", *map(sa.column, ("hall", "id", "qr_offered")))
    keys = services.c.hall == sa.bindparam("of"), services.c.id == sa.bindparam("service")
    filled = services.update().where(*keys).values(qr_offered=sa.bindparam("offered"))
    rows = [
        {"of": hall, "service": name, "offered": value} for (hall, name), value in offered.items() if value is not None
    ]
    for begin in range(0, len(rows), BATCH):
        connection.execute(filled, rows[begin : begin + BATCH])
