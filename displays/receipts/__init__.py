"""Tickets and notices to printer bytes; pure."""
