"""How often Python looks for garbage in cycles, in a process that serves connections."""

import gc


def spare_the_collector() -> None:
    """What start-up made stays: the collector need not look at it again, nor after every 700 new objects.

    Connections leave no cycles, so that it finds nothing anyway; looking cost 6 % of new connections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
