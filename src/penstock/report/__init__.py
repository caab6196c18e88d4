"""The report: one HTML file that needs no network, drawn from a study's summary and hours."""

from __future__ import annotations

from .render import render_report

__all__ = ["render_report"]
