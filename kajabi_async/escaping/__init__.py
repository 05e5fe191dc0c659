r"""Text from elsewhere, made fit for where it goes: a terminal, a log line, JSON, a file name, a spreadsheet cell.

Names, titles and error details are chosen by customers and by servers. Sent as they are, their control characters act
on a terminal (clear the screen, set the clipboard, change the title), forge lines of a log and turn text around; their
formulas run in a spreadsheet. Here such characters are shown instead, as ``\x1b`` or ``\u202e``, so that the value can
still be read.
"""
