r"""Escaping of untrusted text for its destination: terminal, log line, JSON, file name, HTML, spreadsheet cell.

Customers and servers choose names, titles and error details. Unescaped, their control characters act on a terminal
(clear the screen, set the clipboard, change the title), forge log lines and reorder text; their formulas run in a
spreadsheet. Such characters are shown instead, as ``\x1b`` or ``\u202e``, so that the value stays readable.

Imports nothing. Read `text` first.
"""
