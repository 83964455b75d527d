"""Purchase orders, bills, bill payments and vendor credits: lines, numbers, dates, links, totals."""
