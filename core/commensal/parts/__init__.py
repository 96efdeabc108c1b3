"""Bundled rooms around the kernel, which use its faces: `README.md` lists them."""
