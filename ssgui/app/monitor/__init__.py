"""`ssgui monitor`: the connections of a process that runs, in a terminal."""
