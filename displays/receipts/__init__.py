"""Tickets and notices to printer bytes; pure."""

from displays.receipts.model import (
    Paper,
    PassPolicy,
    PrinterProfile,
    TestPaper,
    TicketPaper,
    UncalledPaper,
    decode_paper,
    encode_paper,
    printer_profile,
)

__all__ = [
    "Paper",
    "PassPolicy",
    "PrinterProfile",
    "TestPaper",
    "TicketPaper",
    "UncalledPaper",
    "decode_paper",
    "encode_paper",
    "printer_profile",
]
