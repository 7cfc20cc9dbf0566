"""Containers of tables and their cells: CSV, workbooks, Parquet, archives, all read as text."""
