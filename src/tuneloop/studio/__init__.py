"""The page in the browser: one file a tab."""
