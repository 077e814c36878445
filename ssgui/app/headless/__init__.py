"""An engine without a window: from flags and files to its end by a signal."""
