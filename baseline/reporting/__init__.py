"""How ``report.html`` is made: what a run left behind, the evidence in it, pictures, and the page."""
