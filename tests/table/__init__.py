"""Every state times every answer, every combination of findings, every kind of tampering, against rules written apart."""
