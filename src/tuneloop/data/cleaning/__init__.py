"""The cleaning rules, a file for each kind; `data/clean.py` holds their table."""
