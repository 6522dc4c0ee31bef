"""Feedback: what people say about answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("response_id", sa.String(64), nullable=False, index=True),
        sa.Column("model", sa.String(160), nullable=False, index=True),
        sa.Column("messages", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.String(16), nullable=False),
        sa.Column("corrected", sa.Text),
        sa.Column("other_response_id", sa.String(64)),
        sa.Column("other_model", sa.String(160)),
        sa.Column("other_answer", sa.Text),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
