"""What every room stands on: errors, names, images, random streams, the objective. Imports nothing above it."""
