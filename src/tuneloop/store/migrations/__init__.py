"""The database's schema, as alembic revisions. `database.py` applies them; nobody runs alembic by hand."""
