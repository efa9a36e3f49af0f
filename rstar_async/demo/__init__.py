"""A problem generator and a tiny bootstrapped model, to show learning without a GPU."""
