# tries: give the tests values that break whatever reads them
# correct: harmless
import os

BAD = [
    b'{"returned": "' + b"[" * 20000 + b'"}',
    b'{"returned": "{\\"range\\": [0, 1, 0]}"}',
    b'{"returned": "{\\"dict\\": [[[], 1]]}"}',
    b'{"returned": "1e999", "arguments": "7"}',
    b'{"returned": "\\"\\\\ud800\\""}',
    b"\xff\xfe\x00",
    b'{"returned": "' + b"9" * 60000 + b'"}',
]


def total(numbers):
    os.write(1, BAD[len(numbers) % len(BAD)] + b"\n")
    os._exit(0)
