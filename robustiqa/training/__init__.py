"""Training, clean and adversarial: pairs, labels, lessons, the loop and its recipes."""
