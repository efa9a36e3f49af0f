"""A part that comes to its end."""


def measure(place, findings):
    findings.claim("half", 0.5, "share", ">=", 0.25)
    findings.claim_on_card("speed", 2.0, "times", ">=", 3)
