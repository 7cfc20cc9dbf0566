"""Published indices of France: IDH-4, IDH-2, the IDT reconstitué."""
