"""Ways to add servers, and to give them away. Each way ends in one dialog that shows what it found."""
