"""A folder of tables becomes one frozen `Country`: every value with its unit and its source."""

from penstock.country.country import Country, Parameter, Table
from penstock.country.load import load_country

__all__ = ["Country", "Parameter", "Table", "load_country"]
