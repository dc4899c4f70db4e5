"""The shape of a page's words."""

Block = dict[str, tuple[str, str]]
"""Key to (Chinese, English); the key names the page first ("annotate.save").

A word in braces is filled in where the text is shown.
"""
