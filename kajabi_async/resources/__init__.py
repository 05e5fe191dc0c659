"""Resource coroutines: which operation is which path, verb and body, and what its answer becomes."""
