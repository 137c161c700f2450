"""One file per figure: from an arena's trials to shapes."""
