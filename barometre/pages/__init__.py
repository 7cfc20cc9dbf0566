"""What people open: files of results, pages, the demonstration."""
