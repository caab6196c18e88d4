"""Times Penstock's market engines against HiGHS and PyPSA on the same systems: `python -m bench`."""
