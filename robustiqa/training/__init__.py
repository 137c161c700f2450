"""Clean training: pairs, labels, losses, the loop and its recipes."""
