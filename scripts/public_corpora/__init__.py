"""Public corpora: where they live, and how they become the files that `configs/` names."""
