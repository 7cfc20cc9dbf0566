"""One module per theme of the barometer, one function per indicator."""
