"""How the stages are wired: a recipe from end to end (`loop.py`), and a file instead of a recipe (`files.py`)."""
