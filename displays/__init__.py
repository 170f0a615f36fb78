"""What people see, hear and hold: LED frames, receipts, speech and every screen."""
