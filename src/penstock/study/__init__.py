"""One study: a country's year without and with a programme, as a summary and a table of hours."""

from penstock.study.run import Prepared, Study, add_programme, prepare, run

__all__ = ["Prepared", "Study", "add_programme", "prepare", "run"]
