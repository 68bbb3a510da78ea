"""The data: validation, blocks of rows, and the polynomial basis. No file here imports torch."""
