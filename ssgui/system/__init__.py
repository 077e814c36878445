"""What is asked of the operating system; standard library only."""
