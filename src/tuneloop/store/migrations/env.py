"""What alembic runs for every upgrade: the revisions, in the connection and transaction that `database.py` opened."""

from __future__ import annotations

from alembic import context


def migrate() -> None:
    """Apply what is missing."""
    context.configure(
        connection=context.config.attributes["connection"],
        render_as_batch=True,  # SQLite can't alter a table in place; alembic then copies it
        transactional_ddl=True,  # the caller holds the transaction: a failed upgrade leaves the old schema
    )
    context.run_migrations()


if __name__ == "env_py":  # the name that alembic loads this file under; anyone else only imports it
    migrate()
