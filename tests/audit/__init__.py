"""Finance's files: the books behind them, their text, and the folder."""
