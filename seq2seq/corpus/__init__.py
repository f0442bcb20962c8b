"""Text, subwords, shards and batches: everything before the numbers. Never imports JAX."""
