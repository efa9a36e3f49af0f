"""Problems, what training picks from trees, and files that other tools read and write: JSON lines,
parquet and Hugging Face datasets, with the reference code's or TRL's columns."""
