"""The HTML report: one file to look at, without anything from elsewhere."""
