"""Code that every function may use: values and rules first, clients last. Imports no function."""
