"""Where the app listens: the built pages -> a server in the background -> its address."""

import contextlib
import errno
import io
import logging
import sys
from collections.abc import Sequence

import gradio as gr

from webui import layout


def start_server(
    blocks: gr.Blocks, *, host: str, port: int, accounts: Sequence[tuple[str, str]] | None
) -> str:
    """Serve the pages until `block_thread` of the blocks returns.

    Args:
        blocks: From `layout.build`.
        host: Address to listen on.
        port: Port to listen on.
        accounts: Names and passwords of who may sign in; None for everybody.

    Returns:
        The address for a browser: the public one where `GRADIO_SHARE` asks for it.

    Raises:
        OSError: Another program listens there.
    """
    # At WARNING it logs what it cannot read of a message, and a message holds a text.
    logging.getLogger("mcp").setLevel(logging.ERROR)
    try:
        # `quiet` does not silence what Gradio 6.31 prints about MCP.
        with contextlib.redirect_stdout(io.StringIO()):
            _, address, public_address = blocks.launch(
                server_name=host,
                server_port=port,
                auth=accounts,
                quiet=True,
                prevent_thread_lock=True,
                # Gradio 6.31 asks nobody at MCP's address for a password.
                mcp_server=accounts is None,
                **layout.launch_options(),
            )
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE or "Cannot find empty port" in str(error)
        if not is_taken:
            raise
        # Gradio's message speaks of arguments that nobody gave.
        raise OSError(
            f"expected a free port, got {host}:{port}; choose another with --port"
        ) from None
    if blocks.mcp_error:
        print(f"app.py: warning: no tools for language models: {blocks.mcp_error}", file=sys.stderr)
    return public_address or address
