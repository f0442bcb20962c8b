"""Loss, optimizer, devices, checkpoints and the loop that puts them together."""
