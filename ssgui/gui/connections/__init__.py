"""The page that shows every connection and its stage."""
