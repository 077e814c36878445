"""Use cases between the engine and whoever looks: what connections do, how a server fares, what to fetch."""
