"""What runs in the sandbox when a program is judged; it imports nothing of this project.

`calls` runs beside the program and only calls it; `judge` runs the tests, in an interpreter that
has never seen the program. Only plain values, as JSON, pass between the two (`values`).
"""
