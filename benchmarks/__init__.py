"""How fast the library is, against scikit-learn and against the machine: `make bench`."""
