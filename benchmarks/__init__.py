"""Benchmarks of speed, memory and accuracy. `README.md` in this directory describes them."""
