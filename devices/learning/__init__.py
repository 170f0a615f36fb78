"""`yichuang devices learn`: a line that is only listened to, and the device map that follows from what was heard."""
