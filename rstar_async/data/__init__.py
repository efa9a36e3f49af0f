"""Files that others read and write: JSON lines, parquet and Hugging Face datasets as containers;
the reference code's files and TRL's columns as formats."""
