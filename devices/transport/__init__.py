"""Bytes over serial, TCP and memory, named by one URL; knows no meaning."""
