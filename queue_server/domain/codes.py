"""The check characters of official codes (GB 11714, GB 32100) and the form of matter codes (RULES 81)."""

import re

# GB 32100 leaves out I, O, S, V and Z.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_MATTER = re.compile(r"(?P<credit>[0-9A-Z]{18})[1-6]\d{12}(\d{2})?")


def organisation_check(body: str) -> str:
    """The ninth character of an organisation code (GB 11714) from its first eight."""
    values = (int(c) if c.isdigit() else ord(c) - 55 for c in body)
    rest = 11 - sum(v * w for v, w in zip(values, _ORGANISATION_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def credit_check(body: str) -> str:
    """The last character of a unified social credit code (GB 32100) from its first seventeen."""
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return _ALPHABET[(31 - total % 31) % 31]


def credit_code_ok(code: str) -> bool:
    """Whether these are 18 characters with both check characters right."""
    if len(code) != 18 or any(c not in _ALPHABET for c in code):
        return False
    return organisation_check(code[8:16]) == code[16] and credit_check(code[:17]) == code[17]


def matter_code_ok(code: str) -> bool:
    """Whether this is a credit code, a level 1-6 and 12 digits, or with two digits more (RULES 4, 81)."""
    found = _MATTER.fullmatch(code)
    return found is not None and credit_code_ok(found["credit"])
