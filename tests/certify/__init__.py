"""Whether certify shows each item of the launch checklist, and fails exactly the one that is broken."""
