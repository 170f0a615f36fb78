"""Whether a service's invitation was the QR code because no rating device worked (RULES 38), also for the services there are."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PAGE = 1_000
"""Rows of the journal in memory at a time: it may hold years."""

TOLD = """
select hall, seq, kind, data from journal
where kind in ('RatingInvited', 'FinishUndone') and (hall > :hall or hall = :hall and seq > :seq)
order by hall, seq limit :page
"""


def upgrade() -> None:
    """Forward only: a step back is a backup restored."""
    op.add_column("services", sa.Column("qr_offered", sa.Boolean(create_constraint=False), nullable=True))
    connection = op.get_bind()
    services = sa.table("services", *map(sa.column, ("hall", "id", "qr_offered")))
    keys = services.c.hall == sa.bindparam("of"), services.c.id == sa.bindparam("service")
    filled = services.update().where(*keys).values(qr_offered=sa.bindparam("offered", type_=sa.Boolean()))
    hall, seq = "", 0
    while told := connection.execute(sa.text(TOLD), {"hall": hall, "seq": seq, "page": PAGE}).all():
        offered: dict[tuple[str, str], bool | None] = {}
        for of, _, kind, data in told:
            fields = json.loads(data)
            offered[of, fields["service"]] = not fields["device"] if kind == "RatingInvited" else None
        rows = [{"of": of, "service": service, "offered": value} for (of, service), value in offered.items()]
        connection.execute(filled, rows)
        hall, seq = told[-1][:2]
