"""Who may sign in: the file behind `--auth-file`."""

from pathlib import Path

from ner_core.formats import decode_text, split_lines


def read_accounts(path: Path) -> list[tuple[str, str]]:
    """Names and passwords of an auth file; blank lines are skipped.

    Raises:
        ValueError: A line is no "name:password", a name comes twice, or there is none; the message
            names file and line, never a password.
        OSError: The file cannot be read.
    """
    accounts: dict[str, str] = {}
    for number, line in enumerate(split_lines(decode_text(path.read_bytes(), str(path))), start=1):
        if not line.strip():
            continue
        name, colon, password = line.partition(":")
        if not (name and colon and password):
            raise ValueError(f'{path}:{number}: expected "name:password", got another line')
        if name in accounts:
            raise ValueError(f"{path}:{number}: expected every name once, got {name!r} again")
        accounts[name] = password
    if not accounts:
        raise ValueError(f'{path}: expected at least one line "name:password", got none')
    return list(accounts.items())
