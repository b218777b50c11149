"""`mitbatch init`: asks for what a merchant needs, and leaves a settings file that explains itself."""
