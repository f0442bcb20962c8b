"""From text to text with a trained model: search, guards and the translator."""
