"""The two ways in which a command ends early on purpose. Knows nothing else of the program."""


class UserError(Exception):
    """A mistake that the person at the keyboard can mend: one sentence on stderr, exit status 2."""


class Interrupted(Exception):
    """Stopped with all work saved; the same command goes on: one sentence on stderr, status 75."""
