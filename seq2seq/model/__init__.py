"""The network, as pure functions of its weights. Knows no optimizer, no devices and no text."""
