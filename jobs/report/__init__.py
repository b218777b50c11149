"""The report as a page: its sections, its pictures, and the template that joins them."""
