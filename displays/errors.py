"""The errors of what people see, hear and hold (DESIGN 7)."""


class Unavailable(Exception):
    """A font, a program or a voice pack is not there; the sentence says what to mend."""


class Malformed(Exception):
    """A manifest, a clip, a paper or a setting that makes no sense; the sentence says where."""
