"""BiRQA: Bidirectional Robust Quality Assessment for images, one file per module of the paper."""
