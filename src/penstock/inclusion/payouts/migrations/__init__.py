"""Steps from one form of the journal's tables to the next, run by Alembic when a journal is opened."""
